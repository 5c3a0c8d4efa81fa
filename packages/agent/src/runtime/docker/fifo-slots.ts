/** Whether work waits its turn, or finishes something that has been begun and so goes before all that only begins. */
export type Turn = 'in turn' | 'ahead'

/** A number of things that may go on at once; who comes first is served first, among those who wait alike. */
export interface FifoSlots {
  /**
   * Runs `work` as soon as a slot is free.
   *
   * @throws what `work` throws; the signal's reason when it aborts while waiting.
   */
  run<T>(work: () => Promise<T>, signal: AbortSignal, turn?: Turn): Promise<T>
}

export function fifoSlots(count: number): FifoSlots {
  let free = count
  const queues: Readonly<Record<Turn, (() => void)[]>> = { ahead: [], 'in turn': [] }

  const leave = (): void => {
    const next = queues.ahead.shift() ?? queues['in turn'].shift()
    if (next === undefined) free += 1
    else next()
  }

  const enter = (signal: AbortSignal, waiting: (() => void)[]): Promise<void> => {
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
    async run(work, signal, turn = 'in turn') {
      await enter(signal, queues[turn])
      try {
        return await work()
      } finally {
        leave()
      }
    },
  }
}
