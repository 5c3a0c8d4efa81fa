import { ZONE_ATTRIBUTE } from './host-description.ts'

/**
 * One step of a placement strategy. A chain compares hosts by its first step, then, among equals, by the next.
 *
 * - `binpack`: least of the field left. `room` is Berth's own: GPUs, then CPU, memory and custom resources together, see `overdraws`, `gpuRank` and
 *   `valueLeft`.
 * - `spread`: fewest tasks of the group on hosts with the same value of the field.
 * - `random`: each host equally likely.
 */
export type StrategyStep =
  | { readonly type: 'binpack'; readonly field: BinpackField }
  | { readonly type: 'spread'; readonly by: SpreadField }
  | { readonly type: 'random' }

export type BinpackField = 'cpu' | 'memory' | 'room'

/** What a spread counts tasks by: each host, or each value of an attribute. */
export type SpreadField = { readonly kind: 'host' } | { readonly kind: 'attribute'; readonly name: string }

/** ECS's own limit on the length of a chain. */
export const MAX_STRATEGY_STEPS = 5

const BY_ROOM: StrategyStep = { type: 'binpack', field: 'room' }

/** What RunTask does when nothing is asked: pack by CPU and memory together. */
export const DEFAULT_TASK_STRATEGY: readonly StrategyStep[] = [BY_ROOM]

/** What a service does when nothing is asked: spread across availability zones, then pack by both together. */
export const DEFAULT_SERVICE_STRATEGY: readonly StrategyStep[] = [
  { type: 'spread', by: { kind: 'attribute', name: ZONE_ATTRIBUTE } },
  BY_ROOM,
]

/** A `placementStrategy` item as the API gives it. */
export interface StrategyInput {
  readonly type?: string | undefined
  readonly field?: string | undefined
}

/** A compiled chain, or why it is none: words for an InvalidParameterException. */
export type CompiledStrategy =
  | { readonly ok: true; readonly steps: readonly StrategyStep[] }
  | { readonly ok: false; readonly message: string }

/** Compiles the API's chain of up to five steps. Types and the fields `cpu`, `memory`, `instanceId`, `host` are read in any case. */
export function compileStrategy(items: readonly StrategyInput[]): CompiledStrategy {
  if (items.length > MAX_STRATEGY_STEPS) {
    return { ok: false, message: `placementStrategy can not have more than ${MAX_STRATEGY_STEPS} items.` }
  }
  const steps: StrategyStep[] = []
  for (const item of items) {
    const step = compileStep(item)
    if (typeof step === 'string') return { ok: false, message: step }
    steps.push(step)
  }
  return { ok: true, steps }
}

function compileStep({ type = '', field = '' }: StrategyInput): StrategyStep | string {
  switch (type.toLowerCase()) {
    case 'random':
      return field === '' ? { type: 'random' } : 'The random placement strategy takes no field.'
    case 'binpack': {
      const dimension = field.toLowerCase()
      if (dimension === 'cpu' || dimension === 'memory') return { type: 'binpack', field: dimension }
      return `Invalid field '${field}' for the binpack placement strategy: it must be cpu or memory.`
    }
    case 'spread': {
      const by = spreadField(field)
      if (by !== undefined) return { type: 'spread', by }
      return `Invalid field '${field}' for the spread placement strategy: it must be instanceId, host or attribute:NAME.`
    }
    default:
      return `Invalid placement strategy type '${type}': it must be random, spread or binpack.`
  }
}

function spreadField(field: string): SpreadField | undefined {
  const lower = field.toLowerCase()
  if (lower === 'instanceid' || lower === 'host') return { kind: 'host' }
  const name = field.startsWith('attribute:') ? field.slice('attribute:'.length) : ''
  return name === '' ? undefined : { kind: 'attribute', name }
}

/** A step as users write it: `spread(attribute:rack)`, `binpack(memory)`, `random`. */
export function describeStep(step: StrategyStep): string {
  switch (step.type) {
    case 'random':
      return 'random'
    case 'binpack':
      return `binpack(${step.field})`
    default:
      return step.by.kind === 'host' ? 'spread(instanceId)' : `spread(attribute:${step.by.name})`
  }
}
