import type { Clock } from '@berth/shared/clock.ts'

/** Tells a person what is going on, one line at a time. */
export interface Progress {
  say(line: string): void
  /** Does a step. When it takes longer than a person waits without wondering, says so, and how long it took. */
  step<T>(title: string, work: () => Promise<T>): Promise<T>
}

/** Nothing is said of steps that are done within this time, in ms. */
const wonderingAfterMs = 2000

export function progressTo(clock: Clock, say: (line: string) => void): Progress {
  return {
    say,
    async step(title, work) {
      const began = clock.monotonic()
      let announced = false
      const cancel = clock.after(wonderingAfterMs, () => {
        announced = true
        say(`==> ${title} ...`)
      })
      try {
        const result = await work()
        if (announced) say(`    done in ${((clock.monotonic() - began) / 1000).toFixed(1)} s`)
        return result
      } finally {
        cancel()
      }
    },
  }
}
