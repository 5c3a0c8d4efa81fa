import type { Clock } from '@berth/shared/clock.ts'

/** Says whether one more may pass now. */
export type RateLimit = () => boolean

/** Lets `perSecond` through in the long run, and up to `burst` at once. */
export function rateLimit(
  clock: Clock,
  { perSecond, burst }: { readonly perSecond: number; readonly burst: number },
): RateLimit {
  let left = burst
  let countedAt = clock.monotonic()
  return () => {
    const now = clock.monotonic()
    left = Math.min(burst, left + ((now - countedAt) / 1000) * perSecond)
    countedAt = now
    if (left < 1) return false
    left -= 1
    return true
  }
}
