import { sleep, type Clock } from '@berth/shared/clock.ts'
import { backoffDelay } from '@berth/shared/backoff.ts'
import type { Log } from '@berth/shared/log.ts'
import type { Random } from '@berth/shared/random.ts'
import { type ContainerRuntime, RuntimeError } from '../runtime/container-runtime.ts'
import { engineBackoff, type EngineOptions } from './engine-deps.ts'

interface HealthDeps {
  readonly runtime: ContainerRuntime
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** No container has this id; asking for it costs the engine next to nothing. */
const nobody = '0'.repeat(64)

/** Whether the container engine answers. */
export class EngineHealth {
  readonly #deps: HealthDeps
  readonly #options: EngineOptions
  /** An engine is taken to be well until it fails to answer. */
  #message = ''

  constructor(deps: HealthDeps, options: EngineOptions) {
    this.#deps = deps
    this.#options = options
  }

  /** Empty while the engine is well. */
  get message(): string {
    return this.#message
  }

  answered(): void {
    if (this.#message !== '') this.#deps.log.info('The container engine answers.')
    this.#message = ''
  }

  silent(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    if (this.#message === '') this.#deps.log.warn('The container engine does not answer.', { error })
    this.#message = message || 'The container engine does not answer.'
  }

  /** Asks the engine for next to nothing, and says whether it answered in time. */
  async probe(signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted()
    // Not by AbortSignal.any: what it makes stays with the signal that lives as long as the agent.
    const limit = new AbortController()
    const stop = () => limit.abort(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    const { clock, runtime } = this.#deps
    const { probeTimeoutMs } = this.#options
    const cancel = clock.after(probeTimeoutMs, () =>
      limit.abort(new RuntimeError('timeout', `The container engine has not answered for ${probeTimeoutMs / 1000} s.`)),
    )
    try {
      await runtime.inspect(nobody, limit.signal)
      this.answered()
      return true
    } catch (error) {
      signal.throwIfAborted()
      this.silent(error)
      return false
    } finally {
      cancel()
      signal.removeEventListener('abort', stop)
    }
  }

  /**
   * Whether an operation failed because the engine does not answer, so that nothing is known of what it did. A call that
   * took too long is the operation's own failure if the engine answers otherwise.
   */
  async isAway(error: unknown, signal: AbortSignal): Promise<boolean> {
    if (!(error instanceof RuntimeError)) return false
    if (error.fault === 'unavailable') this.silent(error)
    return error.fault === 'unavailable' || (error.fault === 'timeout' && !(await this.probe(signal)))
  }

  /** Waits before try number `attempt` (from 0) of something that found the engine away. */
  backOff(attempt: number, signal: AbortSignal): Promise<void> {
    return sleep(this.#deps.clock, 1 + backoffDelay(attempt, engineBackoff, this.#deps.random), signal)
  }

  /** Probes now and then, until the signal aborts. */
  async keepProbing(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(this.#deps.clock, this.#options.probeEveryMs, signal)
      await this.probe(signal)
    }
  }
}
