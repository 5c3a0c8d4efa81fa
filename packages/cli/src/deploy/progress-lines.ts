import { counted } from '../counted.ts'
import type { DeploymentView, RevisionCount } from './deployment-view.ts'
import { failureWords, type FailedTask } from './failed-tasks.ts'

/** A deployment at one moment, with what had to be asked for besides. */
export interface DeploymentProgress extends DeploymentView {
  /** Its tasks that failed, oldest first. */
  readonly failed: readonly FailedTask[]
  /** What stands in the way of tasks that find no room: lines for a person. */
  readonly noRoom: readonly string[]
  /** Whether the API did not answer the last time. */
  readonly away: boolean
}

/** What is new of a deployment since it was looked at before: a line a change, none when nothing changed. */
export function changeLines(before: DeploymentProgress | undefined, now: DeploymentProgress): readonly string[] {
  if (now.away) return before?.away === true ? [] : ['The API does not answer; asking again.']
  const counts = countsLine(now)
  const known = new Set(before?.failed.map(({ taskId }) => taskId))
  const isNew = (part: 'noRoom' | 'pause'): boolean => JSON.stringify(before?.[part]) !== JSON.stringify(now[part])
  return [
    ...(before !== undefined && countsLine(before) === counts ? [] : [counts]),
    ...now.failed
      .filter(({ taskId }) => !known.has(taskId))
      .map((task) => `task ${task.taskId} failed${ordinal(now)}: ${failureWords(task)}`),
    ...(now.noRoom.length > 0 && isNew('noRoom') ? now.noRoom : []),
    ...(now.pause !== undefined && isNew('pause') ? [pauseLine(now.pause)] : []),
    ...(now.rollback !== undefined && before?.rollback === undefined ? [rollbackLine(now.rollback)] : []),
  ]
}

const ordinal = ({ failures: { threshold } }: DeploymentProgress): string =>
  threshold === undefined ? '' : ` (the circuit breaker trips at ${threshold})`

/** How far each revision is, in one line. */
export function countsLine({ target, others }: DeploymentView): string {
  return [
    `${target.taskDefinition}: ${target.running} of ${target.wanted} running${pendingWords(target)}`,
    ...others.map((each) => `${each.taskDefinition}: ${each.running} running${pendingWords(each)}`),
  ].join('; ')
}

const pendingWords = ({ pending }: RevisionCount): string => (pending === 0 ? '' : `, ${pending} pending`)

const pauseLine = ({ hookId, stage }: NonNullable<DeploymentView['pause']>): string =>
  `waits at ${stage} for continue-service-deployment, hook ${hookId}`

const rollbackLine = ({ reason, to }: NonNullable<DeploymentView['rollback']>): string =>
  `goes back to ${to}: ${reason}`

const barWidth = 24

/** The deployment as a block that is drawn anew: where it stands, and what is in its way. */
export function progressBlock(progress: DeploymentProgress, elapsedMs: number): readonly string[] {
  const { target, others, failed, failures, noRoom, rollback, pause, away, status } = progress
  const last = failed.at(-1)
  const nameWidth = Math.max(...[target, ...others].map(({ taskDefinition }) => taskDefinition.length))
  const row = (each: RevisionCount, words: string): string =>
    `${each.taskDefinition.padEnd(nameWidth)}  ${bar(each, target.wanted)}  ${words}${pendingWords(each)}`
  return [
    row(target, `${target.running} of ${target.wanted} running`),
    ...others.map((each) => row(each, `${each.running} running`)),
    ...(last === undefined
      ? []
      : [
          `${counted(failed.length, 'task')} failed${failures.threshold === undefined ? '' : `, the circuit breaker trips at ${failures.threshold}`}; the last: ${failureWords(last)}`,
        ]),
    ...noRoom,
    ...(pause === undefined ? [] : [pauseLine(pause)]),
    ...(rollback === undefined ? [] : [rollbackLine(rollback)]),
    `${away ? 'the API does not answer' : status}, ${(elapsedMs / 1000).toFixed(1)} s`,
  ]
}

/** `#` for what runs, `+` for what is pending. */
function bar({ running, pending }: RevisionCount, wanted: number): string {
  const cells = (count: number) => (wanted === 0 ? 0 : Math.round((count * barWidth) / wanted))
  const full = Math.min(barWidth, cells(running))
  const half = Math.min(barWidth - full, cells(running + pending) - cells(running))
  return `[${'#'.repeat(full)}${'+'.repeat(half)}${' '.repeat(barWidth - full - half)}]`
}
