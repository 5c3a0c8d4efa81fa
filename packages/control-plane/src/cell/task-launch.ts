import { compileWin, judgeHost } from '../scheduler/explain.ts'
import type { Explanation, HostVerdict } from '../scheduler/explanation.ts'
import type { HostFleet } from '../scheduler/host-fleet.ts'
import { place } from '../scheduler/placement.ts'
import type { PlacedTask, PlacementRequest } from '../scheduler/placement-request.ts'
import type { Transaction } from './cell.ts'
import { type Berth, giveBerth, type LaunchDeps, newTask } from './new-task.ts'
import { type PlacementSummary, type RuleTally, summarizeWin } from './placement-summary.ts'
import type { TaskRecord } from './records.ts'
import { RuleTallies } from './rule-tallies.ts'
import { placementRequestOf, type TaskBlueprint, taskBlueprint, type TaskLaunch } from './task-blueprint.ts'

export interface LaunchOutcome {
  /** The tasks that were written, PENDING on their hosts. */
  readonly tasks: readonly TaskRecord[]
  /** How many found no host. Nothing was written for them. */
  readonly unplaced: number
  /** Why not; present when `unplaced` is not 0. */
  readonly explanation?: Explanation
}

/** Places `count` equal tasks and writes those that found a host; with `allOrNone` only if all did. */
export function launchTasks(
  tx: Transaction,
  deps: LaunchDeps,
  launch: TaskLaunch,
  count: number,
  { allOrNone = false }: { readonly allOrNone?: boolean } = {},
): LaunchOutcome {
  const blueprint = taskBlueprint(tx.tables, launch)
  const fleet = tx.fleet.hosts
  const request = { ...blueprint.request, count }
  const { placed, unplaced, explanation } = place(fleet, request, deps.random)
  if (allOrNone && unplaced > 0) return { tasks: [], unplaced: count, ...(explanation && { explanation }) }
  const tally =
    placed.length === 0 ? undefined : talliesOf(fleet).countFor(fleet, request, launch.definition, deps.clock.now())
  const berthAt = berthsOf(fleet, request, tally)
  const tasks = placed.map((place) => writeTask(tx, deps, blueprint, berthAt(place)))
  return { tasks, unplaced, ...(unplaced > 0 && explanation !== undefined && { explanation }) }
}

/** What came of launching one task on one named host. */
export type LaunchOnHostOutcome =
  | { readonly kind: 'launched'; readonly task: TaskRecord }
  | { readonly kind: 'refused'; readonly verdict: HostVerdict }
  /** No such host is in the fleet. */
  | { readonly kind: 'missing' }

/** Launches one task on a named host if it has room for it: StartTask, daemons, and moves. */
export function launchTaskOn(
  tx: Transaction,
  deps: LaunchDeps,
  launch: TaskLaunch,
  hostId: string,
): LaunchOnHostOutcome {
  const blueprint = taskBlueprint(tx.tables, launch)
  const fleet = tx.fleet.hosts
  const verdict = judgeHost(fleet, blueprint.request, hostId)
  if (verdict === undefined) return { kind: 'missing' }
  if (verdict.lacks.length > 0) return { kind: 'refused', verdict }
  const dynamicPorts = fleet.freeDynamicPorts(
    fleet.slotOf(hostId) as number,
    blueprint.demand.dynamicPorts,
    new Set(blueprint.demand.ports.map(({ port }) => port)),
  )
  const placement = { hosts: 1, namedBy: namerOf(launch) } as const
  return { kind: 'launched', task: writeTask(tx, deps, blueprint, { hostId, dynamicPorts, placement }) }
}

const namerOf = ({ move, serviceName }: TaskLaunch): PlacementSummary['namedBy'] & string =>
  move !== undefined ? 'rebalancing' : serviceName === undefined ? 'user' : 'service'

/** Whether a host could take one more task of the launch, without launching it: what it lacks, or `undefined` for no such host. */
export const judgeHostFor = (
  tx: Pick<Transaction, 'fleet' | 'tables'>,
  launch: TaskLaunch,
  hostId: string,
): HostVerdict | undefined => judgeHost(tx.fleet.hosts, placementRequestOf(tx.tables, launch), hostId)

/** Says of hosts whether they could take one more task of the launch, without launching it: what each lacks, or `undefined` for no such host. */
export function hostJudge(
  tx: Pick<Transaction, 'fleet' | 'tables'>,
  launch: TaskLaunch,
): (hostId: string) => HostVerdict | undefined {
  const request = placementRequestOf(tx.tables, launch)
  return (hostId) => judgeHost(tx.fleet.hosts, request, hostId)
}

/** Says what a task of the request gets with the host that was chosen for it; to be asked before that task's claim is made. */
export function berthsOf(
  fleet: HostFleet,
  request: PlacementRequest,
  tally?: RuleTally,
): (placed: PlacedTask) => Berth {
  const hosts = fleet.pool(request.pool).slots.size
  const explainWin = compileWin(fleet, request)
  return ({ hostId, dynamicPorts }) => ({
    hostId,
    dynamicPorts,
    placement: summarizeWin(hosts, explainWin(hostId), tally),
  })
}

const talliesByFleet = new WeakMap<HostFleet, RuleTallies>()

function talliesOf(fleet: HostFleet): RuleTallies {
  const known = talliesByFleet.get(fleet)
  if (known !== undefined) return known
  const tallies = new RuleTallies()
  talliesByFleet.set(fleet, tallies)
  return tallies
}

function writeTask(tx: Transaction, deps: LaunchDeps, blueprint: TaskBlueprint, berth: Berth): TaskRecord {
  const task = giveBerth(tx, blueprint, newTask(deps, blueprint), berth)
  tx.put('tasks', task.id, task)
  return task
}
