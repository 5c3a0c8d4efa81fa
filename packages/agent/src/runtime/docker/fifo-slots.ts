/** A number of things that may go on at once; who comes first is served first. */
export interface FifoSlots {
  /**
   * Runs `work` as soon as a slot is free.
   *
   * @throws what `work` throws; the signal's reason when it aborts while waiting.
   */
  run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>
}

export function fifoSlots(count: number): FifoSlots {
  let free = count
  const waiting: (() => void)[] = []

  const leave = (): void => {
    const next = waiting.shift()
    if (next === undefined) free += 1
    else next()
  }

  const enter = (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted()
    if (free > 0) {
      free -= 1
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      const admit = (): void => {
        signal.removeEventListener('abort', giveUp)
        resolve()
      }
      const giveUp = (): void => {
        waiting.splice(waiting.indexOf(admit), 1)
        reject(signal.reason as Error)
      }
      waiting.push(admit)
      signal.addEventListener('abort', giveUp, { once: true })
    })
  }

  return {
    async run(work, signal) {
      await enter(signal)
      try {
        return await work()
      } finally {
        leave()
      }
    },
  }
}
