import type { Comparison, Expression, Subject } from './expression.ts'
import { parseTimestamp } from './timestamp.ts'

/** What a query can ask about a host. */
export interface QueriedHost {
  readonly attributes: ReadonlyMap<string, string | null>
  readonly ec2InstanceId: string
  readonly agentVersion: string
  /** Ms since the epoch. */
  readonly registeredAt: number
  readonly agentConnected: boolean
  readonly runningTasksCount: number
  /** The groups that have tasks on the host, repeated or not. */
  taskGroups(): Iterable<string>
}

/** Whether the host satisfies the expression. Does no I/O and always ends soon. */
export function evaluate(expression: Expression, host: QueriedHost): boolean {
  switch (expression.kind) {
    case 'and':
      return expression.operands.every((operand) => evaluate(operand, host))
    case 'or':
      return expression.operands.some((operand) => evaluate(operand, host))
    case 'not':
      return !evaluate(expression.operand, host)
    case 'exists':
      return exists(expression.subject, host)
    case 'compare':
      return anyValue(expression.subject, host, (value) =>
        holds(expression.comparison, compareAs(expression.subject, value, expression.value)),
      )
    case 'in':
      return anyValue(expression.subject, host, (value) =>
        expression.values.some((wanted) => compareAs(expression.subject, value, wanted) === 0),
      )
    default:
      return anyValue(expression.subject, host, (value) => expression.pattern.matches(value))
  }
}

function exists(subject: Subject, host: QueriedHost): boolean {
  if (subject.kind === 'attribute') return host.attributes.has(subject.name)
  return anyValue(subject, host, (value) => value !== '')
}

/** What the host has for the subject, in words; nothing where it has none. */
export function valueOf(subject: Subject, host: QueriedHost): string | undefined {
  const values = new Set<string>()
  anyValue(subject, host, (value) => {
    values.add(value)
    return false
  })
  return values.size === 0 ? undefined : [...values].join(', ')
}

/** Whether any value the host has for the subject passes: a host has one for most, and one a task for `task:group`. */
function anyValue(subject: Subject, host: QueriedHost, passes: (value: string) => boolean): boolean {
  switch (subject.kind) {
    case 'attribute': {
      const value = host.attributes.get(subject.name)
      return value !== undefined && passes(value ?? '')
    }
    case 'taskGroup': {
      for (const group of host.taskGroups()) if (passes(group)) return true
      return false
    }
    case 'registeredAt':
      return passes(new Date(host.registeredAt).toISOString())
    case 'agentConnected':
      return passes(String(host.agentConnected))
    case 'runningTasksCount':
      return passes(String(host.runningTasksCount))
    case 'agentVersion':
      return passes(host.agentVersion)
    default:
      return passes(host.ec2InstanceId)
  }
}

const HOLDS: Record<Comparison, (order: number) => boolean> = {
  equals: (order) => order === 0,
  greaterThan: (order) => order > 0,
  greaterThanEqual: (order) => order >= 0,
  lessThan: (order) => order < 0,
  lessThanEqual: (order) => order <= 0,
}

const holds = (comparison: Comparison, order: number): boolean => HOLDS[comparison](order)

/** Negative, 0 or positive as `value` is before, equal to or behind `wanted`, in the order that suits the subject. */
function compareAs(subject: Subject, value: string, wanted: string): number {
  switch (subject.kind) {
    case 'registeredAt':
      return (parseTimestamp(value) ?? Number.NaN) - (parseTimestamp(wanted) ?? Number.NaN)
    case 'agentVersion':
      return compareVersions(value, wanted)
    default:
      return compareValues(value, wanted)
  }
}

const NUMBER = /^[+-]?\d+(\.\d+)?$/

/** Numbers by size when both are numbers, else by code unit. */
function compareValues(a: string, b: string): number {
  if (NUMBER.test(a) && NUMBER.test(b)) return Number(a) - Number(b)
  return compareText(a, b)
}

const compareText = (a: string, b: string): number => (a < b ? -1 : Number(a > b))

/** `1.9.0` is before `1.10.0`; a missing part counts as 0. */
function compareVersions(a: string, b: string): number {
  const left = a.split('.')
  const right = b.split('.')
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const order = compareValues(left[at] ?? '0', right[at] ?? '0')
    if (order !== 0) return order
  }
  return 0
}
