import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { backoffDelay } from '@berth/shared/backoff.ts'
import type { CancelTimer, Clock } from '@berth/shared/clock.ts'
import type { Log } from '@berth/shared/log.ts'
import type { Random } from '@berth/shared/random.ts'
import { endProcess, signalProcess } from '../cluster/end-process.ts'
import { identifyProcess, type ProcessIdentity } from '@berth/shared/process-identity.ts'
import { logSize, logTail } from './log-file.ts'
import type { ProcessSpec } from './process-spec.ts'

export interface SupervisedProcessDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** The file that gets what the process writes on both its outputs. */
  readonly logPath: string
  /** Called at each start and end of the process. */
  readonly onChange: (process: SupervisedProcess) => void
}

/** A process that dies again and again is started less and less often. */
const restartBackoff = { baseMs: 200, maxMs: 10_000 }
/** A process that has run so long is not dying again and again, in ms. */
const settledAfterMs = 30_000

/**
 * A process that is started again whenever it ends, until it is stopped. It has a session of its own: a Ctrl-C in the
 * terminal reaches the supervisor alone, which then stops all in order; and it outlives a supervisor that is killed.
 */
export class SupervisedProcess {
  readonly spec: ProcessSpec
  readonly #deps: SupervisedProcessDeps
  #child: ChildProcess | undefined
  #identity: ProcessIdentity | undefined
  #startedAt = 0
  #deathsInARow = 0
  #restarts = 0
  #lastEnd: string | undefined
  #cannotRun = false
  #logFrom = 0
  /** Where the run that ended last began in the log: by the time that somebody asks why, the next may have begun. */
  #endedLogFrom: number | undefined
  #cancelRestart: CancelTimer | undefined
  #stopping = false

  constructor(spec: ProcessSpec, deps: SupervisedProcessDeps) {
    this.spec = spec
    this.#deps = deps
  }

  get name(): string {
    return this.spec.name
  }

  get logPath(): string {
    return this.#deps.logPath
  }

  /** Absent while it is down. */
  get identity(): ProcessIdentity | undefined {
    return this.#identity
  }

  get restarts(): number {
    return this.#restarts
  }

  /** How often it has ended soon after its start, without once running for long in between. */
  get deathsInARow(): number {
    return this.#deathsInARow
  }

  /** How it ended last, as `exit code 1`. */
  get lastEnd(): string | undefined {
    return this.#lastEnd
  }

  /** Whether there is no such program, so that trying again is of no use. */
  get cannotRun(): boolean {
    return this.#cannotRun
  }

  /** The last lines that it has written since the start of the run that ended last, or of its first. */
  logTail(lines: number): string {
    return logTail(this.#deps.logPath, this.#endedLogFrom ?? this.#logFrom, lines)
  }

  start(): void {
    this.#logFrom = logSize(this.#deps.logPath)
    const output = openSync(this.#deps.logPath, 'a', 0o600)
    const child = spawn(this.spec.command, this.spec.args, {
      env: this.spec.environment,
      stdio: ['ignore', output, output],
      detached: true,
    })
    closeSync(output)
    this.#child = child
    this.#startedAt = this.#deps.clock.monotonic()
    this.#identity = child.pid === undefined ? undefined : identifyProcess(child.pid)
    child.once('exit', (code, signal) => {
      if (code !== null && code === this.spec.endsForGood?.exitCode) this.#endedForGood(code)
      this.#ended(child, signal ?? `exit code ${code}`)
    })
    child.once('error', (error: NodeJS.ErrnoException) => {
      this.#cannotRun = error.code === 'ENOENT' || error.code === 'EACCES'
      this.#ended(child, error.message)
    })
    this.#deps.onChange(this)
  }

  /** Ends it for good, by force after its grace. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#cancelRestart?.()
    const identity = this.#identity
    const child = this.#child
    if (identity === undefined || child === undefined) return
    // Its end is seen in /proc before Node tells of it; who waits for the stop must not be called back afterwards.
    const told = once(child, 'exit')
    const killed = await endProcess(this.#deps.clock, identity, this.spec.stopGraceMs)
    await told
    if (killed) this.#deps.log.warn('A process did not end when asked to, and was killed.', { process: this.name })
  }

  /** Ends it at once, as when a person asks a second time. */
  kill(): void {
    this.#stopping = true
    if (this.#identity !== undefined) signalProcess(this.#identity, 'SIGKILL')
  }

  #endedForGood(exitCode: number): void {
    this.#stopping = true
    this.#deps.log.warn('A process ended for good.', { process: this.name, exitCode })
    this.spec.endsForGood?.followUp()
  }

  #ended(child: ChildProcess, how: string): void {
    if (this.#child !== child) return
    this.#child = undefined
    this.#identity = undefined
    this.#lastEnd = how
    this.#endedLogFrom = this.#logFrom
    if (!this.#stopping) this.#planRestart(how)
    this.#deps.onChange(this)
  }

  #planRestart(how: string): void {
    const { clock, random, log } = this.#deps
    if (clock.monotonic() - this.#startedAt >= settledAfterMs) this.#deathsInARow = 0
    const inMs = backoffDelay(this.#deathsInARow, restartBackoff, random)
    this.#deathsInARow += 1
    log.warn('A process ended, and is started again.', { process: this.name, ended: how, inMs })
    this.#cancelRestart = clock.after(inMs, () => {
      this.#restarts += 1
      this.start()
    })
  }
}
