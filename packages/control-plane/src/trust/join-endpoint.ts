import type { Clock } from '@berth/shared/clock.ts'
import type { JoinAnswer } from '@berth/shared/host-trust.ts'
import type { JoinService } from './join-service.ts'
import { rateLimit } from './rate-limit.ts'

/** Hosts let in or turned away by this process in a second: a signature each. */
const joinsPerSecond = 50
const joinsAtOnce = 200

/** Too many hosts join at once: try again after a while. */
export class TooManyJoinsError extends Error {
  constructor() {
    super('Too many hosts join at once. Try again in a few seconds.')
    this.name = 'TooManyJoinsError'
  }
}

/** `join` for whoever asks, as often as this process can bear. @throws TooManyJoinsError, and what `join` throws. */
export function limitedJoins(service: Pick<JoinService, 'join'>, clock: Clock): (body: unknown) => Promise<JoinAnswer> {
  const mayJoin = rateLimit(clock, { perSecond: joinsPerSecond, burst: joinsAtOnce })
  return async (body) => {
    if (!mayJoin()) throw new TooManyJoinsError()
    return service.join(body)
  }
}
