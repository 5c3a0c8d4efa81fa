/** Lets callers that want the same thing at the same time share one piece of work. */
export interface SingleFlight<T> {
  /**
   * The result of the work under way for `key`, or of `work`, started now. The signal that `work` is given aborts once
   * every caller has gone; a caller that leaves does not disturb the others.
   *
   * @throws what the work throws; the signal's reason when it aborts.
   */
  run(key: string, work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T>
}

interface Flight<T> {
  readonly result: Promise<T>
  readonly abort: (reason: unknown) => void
  callers: number
}

export function singleFlight<T>(): SingleFlight<T> {
  const flights = new Map<string, Flight<T>>()

  const take = (key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> => {
    const under = flights.get(key)
    if (under !== undefined) return under
    const own = new AbortController()
    const flight: Flight<T> = {
      callers: 0,
      abort: (reason) => {
        flights.delete(key)
        own.abort(reason)
      },
      result: work(own.signal).finally(() => {
        if (flights.get(key) === flight) flights.delete(key)
      }),
    }
    flights.set(key, flight)
    return flight
  }

  return {
    async run(key, work, signal) {
      signal.throwIfAborted()
      const flight = take(key, work)
      flight.callers += 1
      try {
        return await orAbort(flight.result, signal)
      } finally {
        flight.callers -= 1
        if (flight.callers === 0) flight.abort(signal.reason)
      }
    },
  }
}

function orAbort<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', onAbort, { once: true })
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
