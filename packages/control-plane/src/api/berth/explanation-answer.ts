import type { PlacementSummary, RuleTally, SeenByStep } from '../../cell/placement-summary.ts'
import type { ReadonlyTables } from '../../cell/tables.ts'
import { describeLack, REMOVED_BY } from '../../scheduler/explain.ts'
import { type Explanation, type Rule, RULES } from '../../scheduler/explanation.ts'
import { ZONE_ATTRIBUTE } from '../../scheduler/host-description.ts'
import { type Room, readRoom } from '../../scheduler/host-score.ts'
import { type HostLabel, hostLabelOf } from './host-label.ts'

/** How many hosts a rule removed. */
export interface RuleAnswer {
  readonly rule: Rule
  readonly hosts: number
  /** To be read after the number: `without enough CPU`. */
  readonly text: string
}

/** How the hosts stood to a task: those that could take it, and those that a rule removed. */
export interface HostsAnswer {
  readonly considered: number
  readonly suitable: number
  readonly removed: readonly RuleAnswer[]
}

/** Why a task finds no host. */
export interface ExplanationAnswer extends HostsAnswer {
  readonly closest: readonly { readonly host: HostLabel; readonly lacks: readonly string[] }[]
}

/** What a step of the placement strategy saw in the host that it chose. */
export interface StepAnswer {
  /** The step as users write it: `binpack(memory)`. */
  readonly step: string
  readonly value: number
  readonly among?: string
  /** To be read after `because`. */
  readonly text: string
}

/** Why a task is on its host. */
export interface PlacementAnswer {
  readonly considered: number
  readonly suitable?: number
  /** Absent where it was not counted. */
  readonly removed?: readonly RuleAnswer[]
  readonly namedBy?: 'user' | 'service' | 'rebalancing'
  readonly steps: readonly StepAnswer[]
}

/** An explanation with its hosts by name. */
export const explanationAnswer = (tables: ReadonlyTables, explanation: Explanation): ExplanationAnswer => ({
  considered: explanation.considered,
  suitable: explanation.suitable,
  removed: removedAnswer(explanation.removed),
  closest: explanation.closest.map(({ hostId, lacks }) => ({
    host: hostLabelOf(tables.hosts.get(hostId), hostId),
    lacks: lacks.map(describeLack),
  })),
})

/** What was kept about a placement, in words. `group` is the task's. */
export const placementAnswer = (summary: PlacementSummary, group: string): PlacementAnswer => ({
  considered: summary.hosts,
  ...(summary.tally !== undefined && {
    suitable: summary.tally.suitable,
    removed: removedAnswer(summary.tally.removed),
  }),
  ...(summary.namedBy !== undefined && { namedBy: summary.namedBy }),
  steps: (summary.seen ?? []).map((seen) => stepAnswer(seen, group)),
})

const removedAnswer = (removed: RuleTally['removed']): RuleAnswer[] =>
  RULES.flatMap((rule) => {
    const hosts = removed[rule]
    return hosts === undefined ? [] : [{ rule, hosts, text: REMOVED_BY[rule] }]
  })

const stepAnswer = ([step, value, among]: SeenByStep, group: string): StepAnswer => ({
  step,
  value,
  ...(among !== undefined && { among }),
  text: stepWords(step, value, among, group),
})

function stepWords(step: string, value: number, among: string | undefined, group: string): string {
  const [, kind = '', field = ''] = /^(\w+)(?:\((.*)\))?$/.exec(step) ?? []
  if (kind === 'random') return 'it was drawn by lot'
  if (kind === 'spread') return `${spreadSubject(field, among)} had the fewest tasks of ${group}: ${value}`
  if (field === 'cpu') return `it had the least CPU left that was enough: ${value} units`
  if (field === 'memory') return `it had the least memory left that was enough: ${value} MiB`
  const { gpus, isOverdrawn, room } = readRoom(value)
  const overdrawn = isOverdrawn ? ', though the task takes more of its CPU or memory than of its GPUs' : ''
  return `it was the fullest that had room${overdrawn}: ${GPU_WORDS[gpus]}what was left, counted together and a core as 2 GiB, came to ${room} MiB`
}

const GPU_WORDS: Readonly<Record<Room['gpus'], string>> = {
  none: '',
  taken: 'all its GPUs were taken, and ',
  begun: 'some of its GPUs were taken, and ',
  untouched: 'none of its GPUs was taken, and ',
}

function spreadSubject(field: string, among: string | undefined): string {
  if (!field.startsWith('attribute:')) return 'it'
  const name = field.slice('attribute:'.length)
  const what = name === ZONE_ATTRIBUTE ? 'zone' : name
  return among === undefined || among === '' ? `hosts without ${what}` : `its ${what} ${among}`
}
