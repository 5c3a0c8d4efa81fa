import type { Transaction } from '../cell/cell.ts'
import { clusterSettingsOf } from '../cell/cluster-settings.ts'
import type { ServiceRecord, TaskMove, TaskRecord } from '../cell/records.ts'
import { appendServiceEvent, primaryDeployment } from '../cell/service-changes.ts'
import { stopTask } from '../cell/task-changes.ts'
import type { ControlPlaneDeps } from '../control-plane-deps.ts'
import * as say from './rebalance-sentences.ts'
import { boundsOf, type ServiceTask } from './service-plan.ts'
import { liveTasks } from './service-step.ts'
import { judgeTask } from './service-task.ts'
import { movesUnderWay, type TaskMovePair } from './task-moves.ts'

/** How long a service waits after a move whose new task failed, doubled each time. */
const backOff = { baseMs: 30_000, maxMs: 3600_000 }

/** What becomes of a move now. */
export type MoveVerdict =
  /** The new task is not healthy yet, or the minimum still needs the old one. */
  | 'wait'
  /** The old one stops. */
  | 'finish'
  /** The new one stops, since nobody wants the move any more. */
  | 'call-off'
  /** The new one stops, since it is not healthy. */
  | 'give-up'
  /** The new one stays beside the old one: a task is missing. */
  | 'keep'

/** What a verdict is about. */
export interface MoveSituation {
  readonly service: Pick<ServiceRecord, 'desiredCount' | 'deploymentConfiguration' | 'status'>
  readonly primaryId: string
  /** All tasks of the service that are wanted and have not ended. */
  readonly tasks: readonly ServiceTask[]
  /** All moves that are under way. */
  readonly moves: readonly TaskMovePair[]
}

/** Decides about one move, so that no task stops that the service's minimum still needs. */
export function judgeMove(
  { from, to }: TaskMovePair,
  { service, primaryId, tasks, moves }: MoveSituation,
): MoveVerdict {
  const staying = tasks.filter(({ task, replace }) => task.deploymentId === primaryId && !replace)
  const newOnes = new Set(moves.map((each) => each.to))
  const withoutMoves = staying.filter((each) => !newOnes.has(each)).length
  if (withoutMoves < service.desiredCount) return to.replace ? 'wait' : 'keep'
  const { minimumHealthyPercent = 100, maximumPercent = 200 } = service.deploymentConfiguration
  const { lower } = boundsOf({ desiredCount: service.desiredCount, minimumHealthyPercent, maximumPercent })
  const spare = tasks.filter(({ healthy }) => healthy).length - lower
  if (to.unhealthy) return 'give-up'
  if (to.replace || from.protected || withoutMoves > service.desiredCount)
    return !to.protected && (!to.healthy || spare > 0) ? 'call-off' : 'wait'
  return to.healthy && spare > 0 ? 'finish' : 'wait'
}

/**
 * One step of the moves of a service that are under way: each that can be is brought to its end. Returns in how many ms to look again, if time
 * alone changes something.
 */
export function stepMoves(tx: Transaction, key: string, deps: ControlPlaneDeps): number | undefined {
  const service = tx.tables.services.get(key)
  for (const task of Array.from(tx.tables.tasks.by('serviceMoves', key))) noticeOver(tx, service, task, deps)
  const primary = service && primaryDeployment(service)
  if (!service || !primary) return undefined
  const now = deps.clock.now()
  const settleMs = clusterSettingsOf(tx.tables.clusters.get(service.cluster)).settleMs ?? deps.settings.settleMs
  const judge = () => {
    const tasks = liveTasks(tx.tables, key).map((task) => judgeTask(task, service, tx.tables.hosts, { settleMs }, now))
    const moves = movesUnderWay(tx.tables, service, primary, tasks)
    return { service, primaryId: primary.id, tasks, moves }
  }
  let situation = judge()
  for (const { to } of situation.moves) {
    const pair = situation.moves.find((each) => each.to.task.id === to.task.id)
    if (pair && carryOut(tx, service, pair, judgeMove(pair, situation), deps)) situation = judge()
  }
  const changes = situation.moves
    .flatMap(({ from, to }) => [from.changesAt, to.changesAt])
    .filter((at) => at !== undefined)
  return changes.length === 0 ? undefined : Math.max(1, Math.min(...changes) - now)
}

/** Notes the end of a move that came about by itself: one of its tasks is on its way out, or belongs to a deployment that is replaced. */
function noticeOver(
  tx: Transaction,
  service: ServiceRecord | undefined,
  task: TaskRecord,
  deps: ControlPlaneDeps,
): void {
  const { move } = task
  if (move === undefined) return
  const primary = service && primaryDeployment(service)
  const old = tx.tables.tasks.get(move.replaces)
  const oldHost = tx.tables.hosts.get(old?.hostId ?? '')
  if (!service || !primary || service.status !== 'ACTIVE' || task.deploymentId !== primary.id) endMove(tx, task, 'kept')
  else if (task.desiredStatus === 'STOPPED' || task.lastStatus === 'STOPPED') giveUp(tx, service, task, deps)
  else if (!old || old.desiredStatus === 'STOPPED' || old.lastStatus === 'STOPPED' || oldHost?.status === 'DRAINING')
    endMove(tx, task, 'kept')
}

/** Does what was decided; returns whether that changed anything. */
function carryOut(
  tx: Transaction,
  service: ServiceRecord,
  { from, to }: TaskMovePair,
  verdict: MoveVerdict,
  deps: ControlPlaneDeps,
): boolean {
  const { move } = to.task
  if (verdict === 'wait' || move === undefined) return false
  const now = deps.clock.now()
  if (verdict === 'keep') endMove(tx, to.task, 'kept')
  else if (verdict === 'finish') {
    const cause = { code: 'ServiceSchedulerInitiated', reason: say.replacedReason[move.reason] } as const
    tx.put('tasks', from.task.id, stopTask(from.task, cause, now))
    endMove(tx, to.task, 'moved')
    appendServiceEvent(tx, deps, service, say.moveFinished(service, from.task, move.reason))
    forgetFailures(tx, service)
  } else {
    if (verdict === 'give-up') giveUp(tx, service, to.task, deps)
    else endMove(tx, to.task, 'called-off')
    const task = tx.tables.tasks.get(to.task.id) ?? to.task
    const cause = { code: 'ServiceSchedulerInitiated', reason: say.calledOffReason } as const
    tx.put('tasks', task.id, stopTask(task, cause, now))
  }
  return true
}

function endMove(tx: Transaction, { id }: TaskRecord, outcome: TaskMove['outcome'] & string): void {
  const task = tx.tables.tasks.get(id)
  if (task?.move !== undefined) tx.put('tasks', id, { ...task, move: { ...task.move, outcome } })
}

function giveUp(tx: Transaction, service: ServiceRecord, task: TaskRecord, deps: ControlPlaneDeps): void {
  endMove(tx, task, 'given-up')
  const key = `${service.cluster}/${service.name}`
  const known = tx.tables.services.get(key) ?? service
  const failures = (known.rebalancing?.failures ?? 0) + 1
  const wait = Math.min(backOff.maxMs, backOff.baseMs * 2 ** Math.min(failures - 1, 30))
  const notBefore = deps.clock.now() + wait
  tx.put('services', key, { ...known, rebalancing: { ...known.rebalancing, failures, notBefore } })
  appendServiceEvent(tx, deps, service, say.moveGivenUp(service, task, tx.tables.hosts.get(task.hostId ?? '')))
}

function forgetFailures(tx: Transaction, service: ServiceRecord): void {
  const key = `${service.cluster}/${service.name}`
  const known = tx.tables.services.get(key) ?? service
  if (known.rebalancing?.failures === undefined) return
  const { failures: _failures, notBefore: _notBefore, ...rebalancing } = known.rebalancing
  tx.put('services', key, { ...known, rebalancing })
}
