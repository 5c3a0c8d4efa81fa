import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import type { ControlGroup } from './control-group.ts'
import { forgetClockOf, type LabClock } from './lab-clock.ts'
import { inNamespace, type NetworkMember } from './lab-network.ts'

export interface LabProcessSpec {
  readonly name: string
  readonly member: NetworkMember
  readonly group: ControlGroup
  /** Aborts when the lab ends: then it is not started again. */
  readonly signal: AbortSignal
  readonly logPath: string
  readonly command: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** Its own, where it is not to have the machine's. */
  readonly clock?: LabClock | undefined
  /** Words of the log that say that it is ready. */
  readonly readyWords?: string
  /** Starts it again when it ends without being told to, as a supervisor would. */
  readonly supervised?: boolean
}

/** A program on one machine of the lab, which can be killed, frozen and started again. */
export interface LabProcess {
  readonly name: string
  /** `undefined` while it does not run. */
  readonly pid: number | undefined
  readonly running: boolean
  /** How often it ended without being told to, and was started again. */
  readonly restarts: number
  /** Starts it, with `extra` beside its environment for this life, and resolves when it is ready. @throws when it ends instead. */
  start(extra?: Readonly<Record<string, string>>): Promise<void>
  /** Ends it as a crash would, and resolves when it is gone. */
  kill(): Promise<void>
  /** Ends it in order; after 20 s, as a crash would. */
  stop(): Promise<void>
  freeze(): void
  thaw(): void
  /** Resolves when it has ended by itself or otherwise. */
  ended(): Promise<void>
  /** Resolves when its log, from this life's start on, has `words`. */
  logged(words: string, withinMs?: number): Promise<void>
  /** All that it has logged, in all its lives. */
  log(): string
}

/** Bounded for a machine that has ten times as much to do as it can. */
const readyWithinMs = 180_000
const stopWithinMs = 20_000
const restartAfterMs = 300

export function labProcess(spec: LabProcessSpec): LabProcess {
  let child: ChildProcess | undefined
  let logStart = 0
  let wanted = false
  let restarts = 0
  const log = () => (existsSync(spec.logPath) ? readFileSync(spec.logPath, 'utf8') : '')
  const isRunning = () => child !== undefined && child.exitCode === null && child.signalCode === null
  const end = async (signal: NodeJS.Signals) => {
    const ending = child
    wanted = false
    if (ending === undefined || !isRunning()) return
    const gone = once(ending, 'exit')
    ending.kill(signal)
    ending.kill('SIGCONT')
    await gone
  }
  const launch = async (extra: Readonly<Record<string, string>>) => {
    if (spec.signal.aborted) throw new Error(`${spec.name} is not started: the lab ends`)
    logStart = log().length
    const output = openSync(spec.logPath, 'a')
    const [program = '', ...args] = [...inNamespace(spec.member.namespace), ...spec.command]
    const launched = spawn(program, args, {
      env: { ...withoutSettings(process.env), ...spec.environment, ...spec.clock?.environment, ...extra },
      stdio: ['ignore', output, output],
      // Not in the group of the terminal: Ctrl-C ends the lab in order.
      detached: true,
    })
    child = launched
    closeSync(output)
    launched.once('exit', () => {
      if (spec.clock && launched.pid !== undefined) forgetClockOf(launched.pid)
      if (spec.supervised !== true || !wanted) return
      restarts += 1
      setTimeout(() => {
        if (wanted && child === launched) launch({}).catch(() => {})
      }, restartAfterMs)
    })
    await once(launched, 'spawn')
    spec.group.add(launched.pid ?? Number.NaN)
  }
  const self: LabProcess = {
    name: spec.name,
    get restarts() {
      return restarts
    },
    get pid() {
      return isRunning() ? child?.pid : undefined
    },
    get running() {
      return isRunning()
    },
    async start(extra = {}) {
      wanted = true
      if (isRunning()) return
      await launch(extra)
      if (spec.readyWords !== undefined) await self.logged(spec.readyWords, readyWithinMs)
    },
    kill: () => end('SIGKILL'),
    async stop() {
      await Promise.race([end('SIGTERM'), wait(stopWithinMs)])
      await end('SIGKILL')
    },
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    async ended() {
      if (isRunning() && child) await once(child, 'exit')
    },
    async logged(words, withinMs = readyWithinMs) {
      const deadline = performance.now() + withinMs
      while (!log().slice(logStart).includes(words)) {
        const shown = () => log().slice(logStart).slice(-3000)
        if (!isRunning()) throw new Error(`${spec.name} has ended before it said "${words}":\n${shown()}`)
        if (performance.now() > deadline) throw new Error(`${spec.name} does not say "${words}":\n${shown()}`)
        await wait(20)
      }
    },
    log,
  }
  return self
}

const withoutSettings = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !/^(BERTH|AWS|ECS|DOCKER)_/.test(name)))
