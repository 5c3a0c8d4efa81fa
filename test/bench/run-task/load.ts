/** What came of calling something as often as it goes. */
export interface Load {
  readonly calls: number
  readonly seconds: number
  /** How long each call took, in ms. */
  readonly latencies: readonly number[]
}

/** Keeps `concurrency` calls under way for `forMs`, and waits for the last of them. @throws what a call throws. */
export async function load(call: () => Promise<unknown>, concurrency: number, forMs: number): Promise<Load> {
  const latencies: number[] = []
  const began = performance.now()
  const caller = async (): Promise<void> => {
    for (let now = performance.now(); now - began < forMs; now = performance.now()) {
      await call()
      latencies.push(performance.now() - now)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, caller))
  return { calls: latencies.length, seconds: (performance.now() - began) / 1000, latencies }
}
