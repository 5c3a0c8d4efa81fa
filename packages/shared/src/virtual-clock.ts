import type { CancelTimer, Clock } from './clock.ts'

/** A clock that stands still until it is told to move: for simulations and tests that run days in seconds. */
export interface VirtualClock extends Clock {
  /**
   * Moves time on by `durationMs`, calling each timer that falls due at its own moment, in the order of their moments and
   * then of their making. Between two timers everything that became ready runs to its end, so that a timer set by what the
   * one before it caused is seen too.
   */
  advanceBy(durationMs: number): Promise<void>
  /** As `advanceBy`, up to the wall-clock moment `at` (ms since the epoch); a moment that has passed only lets ready work run. */
  advanceTo(at: number): Promise<void>
  /** Lets everything that is ready run to its end, without moving time. */
  settle(): Promise<void>
  /** The first whole wall-clock millisecond at which the earliest timer is due; `undefined` when none is set. */
  nextTimer(): number | undefined
}

interface Timer {
  readonly at: number
  readonly order: number
  wake: (() => void) | undefined
}

const isBefore = (a: Timer, b: Timer): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

/**
 * A clock of virtual time that starts at `startMs` (ms since the epoch). Its monotonic time starts at 0 and its wall clock
 * never jumps and shows whole milliseconds, as that of the machine. Work that waits for real I/O is not waited for: give such code a world in memory instead.
 */
export function virtualClock(startMs = Date.UTC(2026, 0, 1)): VirtualClock {
  const timers: Timer[] = []
  let elapsed = 0
  let made = 0

  const earliest = (): Timer | undefined => {
    while (timers[0] && !timers[0].wake) removeFirst(timers)
    return timers[0]
  }
  // The queue of microtasks is empty before an immediate runs, however long the chains of promises in it are.
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve))
  const runUntil = async (end: number) => {
    await settle()
    for (let timer = earliest(); timer && timer.at <= end; timer = earliest()) {
      removeFirst(timers)
      elapsed = Math.max(elapsed, timer.at)
      timer.wake?.()
      timer.wake = undefined
      await settle()
    }
    elapsed = Math.max(elapsed, end)
  }

  return {
    now: () => startMs + Math.floor(elapsed),
    monotonic: () => elapsed,
    after(delayMs, wake): CancelTimer {
      const timer: Timer = { at: elapsed + Math.max(0, delayMs), order: made++, wake }
      insert(timers, timer)
      return () => {
        timer.wake = undefined
      }
    },
    advanceBy: (durationMs) => runUntil(elapsed + durationMs),
    advanceTo: (at) => runUntil(at - startMs),
    settle,
    nextTimer() {
      const timer = earliest()
      return timer && startMs + Math.ceil(timer.at)
    },
  }
}

function insert(heap: Timer[], timer: Timer): void {
  let index = heap.push(timer) - 1
  while (index > 0) {
    const parent = (index - 1) >> 1
    const above = heap[parent] as Timer
    if (!isBefore(timer, above)) break
    heap[index] = above
    index = parent
  }
  heap[index] = timer
}

function removeFirst(heap: Timer[]): void {
  const last = heap.pop()
  if (!last || heap.length === 0) return
  let index = 0
  for (;;) {
    const left = 2 * index + 1
    if (left >= heap.length) break
    const right = left + 1
    const child = right < heap.length && isBefore(heap[right] as Timer, heap[left] as Timer) ? right : left
    if (!isBefore(heap[child] as Timer, last)) break
    heap[index] = heap[child] as Timer
    index = child
  }
  heap[index] = last
}
