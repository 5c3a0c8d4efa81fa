import { type Expression, type Subject, forEachSubject } from './query/expression.ts'
import { parseQuery } from './query/parse.ts'

/** What a verdict on an expression may be remembered by. */
export type ConstraintScope =
  /** Attributes and agent version only: equal for all hosts of a class. */
  | 'class'
  /** Facts of the single host, that placing tasks does not change. */
  | 'host'
  /** The tasks on the host: each placement may change the verdict. */
  | 'tasks'

/** A placement constraint, ready to be asked. */
export type CompiledConstraint =
  | { readonly type: 'distinctInstance' }
  | {
      readonly type: 'memberOf'
      /** The expression as the user wrote it. */
      readonly text: string
      readonly expression: Expression
      readonly scope: ConstraintScope
    }

/** A `placementConstraints` item as the API gives it. */
export interface ConstraintInput {
  readonly type?: string | undefined
  readonly expression?: string | undefined
}

/** Compiled constraints, or why there are none: words for an InvalidParameterException. */
export type CompiledConstraints =
  | { readonly ok: true; readonly constraints: readonly CompiledConstraint[] }
  | { readonly ok: false; readonly message: string; readonly position?: number }

/** ECS's own limit on the constraints of a task, those of its definition and those of the request together. */
export const MAX_CONSTRAINTS = 10

/** Compiles the constraints of a task definition, a service or a request; concatenate the lists to make them hold together. */
export function compileConstraints(items: readonly ConstraintInput[]): CompiledConstraints {
  if (items.length > MAX_CONSTRAINTS) {
    return { ok: false, message: `placementConstraints can not have more than ${MAX_CONSTRAINTS} items.` }
  }
  const constraints: CompiledConstraint[] = []
  for (const { type = '', expression = '' } of items) {
    if (type === 'distinctInstance') {
      if (expression !== '')
        return { ok: false, message: 'The distinctInstance placement constraint takes no expression.' }
      constraints.push({ type })
    } else if (type === 'memberOf') {
      const parsed = parseQuery(expression)
      if (!parsed.ok) {
        const { message, position } = parsed.error
        return { ok: false, message: `Invalid expression for the memberOf placement constraint: ${message}`, position }
      }
      constraints.push({ type, text: expression, expression: parsed.expression, scope: scopeOf(parsed.expression) })
    } else {
      return {
        ok: false,
        message: `Invalid placement constraint type '${type}': it must be distinctInstance or memberOf.`,
      }
    }
  }
  return { ok: true, constraints }
}

const SCOPE: Record<Subject['kind'], ConstraintScope> = {
  attribute: 'class',
  agentVersion: 'class',
  ec2InstanceId: 'host',
  registeredAt: 'host',
  agentConnected: 'host',
  runningTasksCount: 'tasks',
  taskGroup: 'tasks',
}

const WIDTH: readonly ConstraintScope[] = ['class', 'host', 'tasks']

/** The widest scope that any subject of the expression needs. */
export function scopeOf(expression: Expression): ConstraintScope {
  let widest = 0
  forEachSubject(expression, (subject) => {
    widest = Math.max(widest, WIDTH.indexOf(SCOPE[subject.kind]))
  })
  return WIDTH[widest] as ConstraintScope
}
