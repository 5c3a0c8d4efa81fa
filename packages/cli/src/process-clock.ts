import { type Clock, systemClock } from '@berth/shared/clock.ts'

/** The machine's clock for a command: unlike `systemClock`, a command that waits for a timer does not end meanwhile. */
export const processClock: Clock = {
  ...systemClock,
  after(delayMs, wake) {
    const timer = setTimeout(wake, Math.min(Math.max(0, delayMs), 2 ** 31 - 1))
    return () => clearTimeout(timer)
  },
}
