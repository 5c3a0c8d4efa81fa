import { type Clock, sleep } from '@berth/shared/clock.ts'
import type { Log } from '@berth/shared/log.ts'
import { CellClosedError, CellNotLedError, CellNotWritableError } from '../cell/cell.ts'
import { StoreUnavailableError } from '../store/store.ts'
import type { Answer } from './http-answer.ts'
import { forwardedHeader, type LeaderOutcome, type LeaderRequests, type ReceivedRequest } from './leader-request.ts'

export interface ForwardingDeps {
  /** Whether this process leads, so that it answers by itself. */
  readonly leading: () => boolean
  /** Base URL of the API of another process that leads, as far as is known. */
  readonly leaderApi: () => string | undefined
  readonly requests: LeaderRequests
  readonly clock: Clock
  readonly log: Log
  /** Whether the store did not do what this process last asked of it. Then nobody may come to lead, or this process does not hear of it. */
  readonly storeAway: () => boolean
  /** How long a request waits for somebody who leads, in ms: longer than a lease. While the store is away it waits for 3 s at most. */
  readonly patienceMs: number
  /** How long the leader may take to answer, in ms. */
  readonly answerWithinMs: number
}

/**
 * Has a request answered by whoever leads: `here` when this process does, else by sending it on. Without a leader it waits for one.
 * Without a store it waits a little: longer than a Redis that restarts, and short enough that a client is told while it still listens.
 *
 * @throws what `here` throws; CellNotLedError when nobody led in time, or when nobody knows what came of a request that was sent on.
 */
export type Forwarding = (request: ReceivedRequest, here: () => Promise<Answer>, gone: AbortSignal) => Promise<Answer>

/** Operations that change nothing, and so may be asked twice. All of ECS's and Berth's own are named alike. */
const onlyLooks = /\.(?:Describe|List|Get|Explain|Plan)/

/** A small Redis restarts within it, and so does the way to it; an SDK's three tries together outlast a fail-over by Sentinel. */
const storePatienceMs = 3000
/** Short against the time that a takeover takes. */
const askAgainMs = 50
/** How often one who waits for an answer looks whether the leader still leads. */
const lookAgainMs = 200

/** Whether a failure says that nothing was done, so that the request may be made again, here or elsewhere. */
export const isUntouched = (error: unknown): boolean =>
  error instanceof CellNotLedError || error instanceof CellNotWritableError

const isPassing = (error: unknown): boolean =>
  error instanceof CellClosedError || error instanceof StoreUnavailableError

/** Lets any control plane take any request of the cell. A request is sent on once only: who gets it so, answers or says that it did nothing. */
export function forwarding(deps: ForwardingDeps): Forwarding {
  const { clock, log, leading, leaderApi } = deps

  return async (request, here, gone) => {
    if (header(request, forwardedHeader) !== undefined) return here()
    const mayRepeat = onlyLooks.test(header(request, 'x-amz-target') ?? '')
    const askedAt = clock.monotonic()
    for (;;) {
      gone.throwIfAborted()
      let failure: unknown = new CellNotLedError()
      const leader = leaderApi()
      if (leading()) {
        try {
          return await here()
        } catch (error) {
          if (!isUntouched(error) && !(mayRepeat && isPassing(error))) throw error
          failure = error
        }
      } else if (leader !== undefined) {
        const outcome = await ask(deps, leader, request, gone)
        if (outcome.kind === 'answered') return outcome.answer
        log.debug('a request that was sent on was not answered', { leader, ...outcome })
        if (outcome.kind === 'unknown' && !mayRepeat) throw new UnknownOutcomeError(outcome.reason)
      }
      const withoutStore = deps.storeAway() || failure instanceof CellNotWritableError
      const patienceMs = withoutStore ? Math.min(storePatienceMs, deps.patienceMs) : deps.patienceMs
      if (clock.monotonic() - askedAt >= patienceMs) throw failure
      await sleep(clock, askAgainMs, gone)
    }
  }
}

/** A request was sent on, and no answer came: it may have been done. Who made it may make it again under the same client token. */
export class UnknownOutcomeError extends Error {
  constructor(reason: string) {
    super(`the leader did not answer: ${reason}`)
    this.name = 'UnknownOutcomeError'
  }
}

/** Waits for the answer as long as the one that was asked still leads: one that stands still never answers. */
async function ask(
  { requests, leaderApi, leading, clock, answerWithinMs }: ForwardingDeps,
  leader: string,
  request: ReceivedRequest,
  gone: AbortSignal,
): Promise<LeaderOutcome> {
  const giveUp = new AbortController()
  const cancelDeadline = clock.after(answerWithinMs, () => giveUp.abort(new Error(`no answer in ${answerWithinMs} ms`)))
  let cancelLook = () => {}
  const look = () => {
    if (leading() || leaderApi() !== leader) giveUp.abort(new Error('it does not lead any more'))
    else cancelLook = clock.after(lookAgainMs, look)
  }
  cancelLook = clock.after(lookAgainMs, look)
  try {
    return await requests.send(leader, request, AbortSignal.any([giveUp.signal, gone]))
  } finally {
    cancelLook()
    cancelDeadline()
  }
}

function header({ rawHeaders }: ReceivedRequest, name: string): string | undefined {
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) if (rawHeaders[i]?.toLowerCase() === name) return rawHeaders[i + 1]
  return undefined
}
