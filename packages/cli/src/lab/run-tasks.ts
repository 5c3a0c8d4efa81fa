import { type Clock, sleep } from '@berth/shared/clock.ts'
import { type Random, randomUuid } from '@berth/shared/random.ts'
import { type EcsClient, EcsError } from '../ecs/ecs-client.ts'
import type { Refusals } from './refusals.ts'

export interface RunTasksDeps {
  readonly clock: Clock
  readonly random: Random
  readonly ecs: EcsClient
  readonly refusals: Refusals
  readonly signal: AbortSignal
  readonly tasksPerCall: number
  /** Tasks that have started on any host so far. */
  readonly started: () => number
}

export interface RunTasksRequest {
  /** RunTask's input, without its count. */
  readonly input: object
  readonly count: number
  /** Tasks a second; absent: as fast as they are taken. */
  readonly rate?: number | undefined
}

/** Calls under way at the same time. */
const concurrency = 8
/** How often a rate is kept up with, and hosts are waited for, in ms. */
const rateEveryMs = 100
/**
 * Where no rate is said: tasks that were taken and have not started, before more are asked for. All hosts share the processes that play them,
 * and one that is given tens of thousands of tasks at once is late with the heartbeats of all its hosts, as no real host is with another's.
 */
const mostOnTheirWay = 20_000
/** So long a call waits for that at most, in ms: tasks of hosts that died never start. */
const waitAtMostMs = 2000

interface RunTaskAnswer {
  readonly tasks: readonly unknown[]
  readonly failures: readonly { readonly reason?: string }[]
}

/** Asks for tasks, and counts those that are refused. @returns how many were taken. */
export async function runTasks(request: RunTasksRequest, deps: RunTasksDeps): Promise<number> {
  const { clock, signal } = deps
  const { count, rate } = request
  const began = clock.monotonic()
  let asked = 0
  let taken = 0
  const due = (): number =>
    rate === undefined ? count : Math.min(count, Math.ceil(((clock.monotonic() - began) / 1000) * rate))

  const startedBefore = deps.started()
  const untilHostsKeepUp = async (): Promise<void> => {
    for (let waitedMs = 0; waitedMs < waitAtMostMs; waitedMs += rateEveryMs) {
      if (taken - (deps.started() - startedBefore) < mostOnTheirWay) return
      await sleep(clock, rateEveryMs, signal)
    }
  }
  const caller = async (): Promise<void> => {
    while (asked < count) {
      signal.throwIfAborted()
      const some = Math.min(due() - asked, deps.tasksPerCall)
      if (some <= 0) {
        await sleep(clock, rateEveryMs, signal)
        continue
      }
      asked += some
      if (rate === undefined) await untilHostsKeepUp()
      const now = await runSome(request.input, some, deps)
      taken += now
    }
  }
  await Promise.all(Array.from({ length: concurrency }, caller))
  return taken
}

async function runSome(input: object, count: number, { ecs, refusals, random }: RunTasksDeps): Promise<number> {
  try {
    const { tasks, failures } = await ecs<RunTaskAnswer>('RunTask', {
      ...input,
      count,
      clientToken: randomUuid(random),
    })
    const refused = count - tasks.length
    const reasons = failures.map(({ reason }) => reason ?? 'no reason given')
    // One failure may stand for all tasks of a call.
    for (let at = 0; at < refused; at++) refusals.add(reasons[Math.min(at, reasons.length - 1)] ?? 'no reason given')
    return tasks.length
  } catch (error) {
    if (!(error instanceof EcsError)) throw error
    refusals.add(error.type, count)
    return 0
  }
}
