import type { CancelTimer, Clock } from '@berth/shared/clock.ts'
import type { Log } from '@berth/shared/log.ts'
import { backoffDelay } from '@berth/shared/backoff.ts'
import type { Random } from '@berth/shared/random.ts'

export interface KeyedLoopDeps {
  readonly name: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly defer: (run: () => void) => void
  /**
   * Looks at one key and does what is to be done, in one transaction. Returns after how many ms to look again if nothing happens to
   * the key before; nothing for no need.
   */
  readonly work: (key: string) => Promise<number | undefined>
}

/** How a key whose work failed is tried again. */
const retry = { baseMs: 100, maxMs: 5000 }

/**
 * Works on keys that something happened to: each at most once at a time, and once more when it was touched meanwhile. Timers only wake;
 * a key that is looked at too often does nothing.
 */
export class KeyedLoop {
  readonly #deps: KeyedLoopDeps
  readonly #dirty = new Set<string>()
  readonly #working = new Set<string>()
  readonly #wakes = new Map<string, CancelTimer>()
  readonly #failures = new Map<string, number>()
  #scheduled = false
  #stopped = false

  constructor(deps: KeyedLoopDeps) {
    this.#deps = deps
  }

  /** Something happened to `key`. */
  touch(key: string): void {
    if (this.#stopped) return
    this.#dirty.add(key)
    if (this.#scheduled) return
    this.#scheduled = true
    this.#deps.defer(() => {
      this.#scheduled = false
      this.#run()
    })
  }

  /** Nothing is begun any more. */
  stop(): void {
    this.#stopped = true
    for (const cancel of this.#wakes.values()) cancel()
    this.#wakes.clear()
    this.#dirty.clear()
  }

  #run(): void {
    for (const key of this.#dirty) {
      if (this.#stopped) return
      if (this.#working.has(key)) continue
      this.#dirty.delete(key)
      void this.#work(key)
    }
  }

  async #work(key: string): Promise<void> {
    this.#working.add(key)
    this.#wakes.get(key)?.()
    this.#wakes.delete(key)
    try {
      const again = await this.#deps.work(key)
      this.#failures.delete(key)
      if (again !== undefined) this.#wakeIn(key, again)
    } catch (error) {
      if (!this.#stopped) this.#failed(key, error as Error)
    } finally {
      this.#working.delete(key)
      if (this.#dirty.has(key)) this.touch(key)
    }
  }

  #failed(key: string, error: Error): void {
    const attempt = this.#failures.get(key) ?? 0
    this.#failures.set(key, attempt + 1)
    this.#deps.log.warn(`${this.#deps.name} will try again`, { key, error })
    this.#wakeIn(key, retry.baseMs + backoffDelay(attempt, retry, this.#deps.random))
  }

  #wakeIn(key: string, delayMs: number): void {
    if (this.#stopped) return
    this.#wakes.get(key)?.()
    this.#wakes.set(
      key,
      this.#deps.clock.after(delayMs, () => {
        this.#wakes.delete(key)
        this.touch(key)
      }),
    )
  }
}
