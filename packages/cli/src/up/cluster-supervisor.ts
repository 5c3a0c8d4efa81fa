import type { Clock } from '@berth/shared/clock.ts'
import type { Log } from '@berth/shared/log.ts'
import type { Random } from '@berth/shared/random.ts'
import { CliError } from '../cli-error.ts'
import { identifyProcess } from '@berth/shared/process-identity.ts'
import { removeRunState, type RunState, writeRunState } from '../cluster/run-state.ts'
import { stopOrder } from '../cluster/stop-order.ts'
import { rotateLog } from './log-file.ts'
import { type ClusterPlan, endpointOf, type HostPlan, type ProcessSpec } from './process-spec.ts'
import { SupervisedProcess } from './supervised-process.ts'

export interface SupervisorDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** A process that has died so often before the cluster was ever ready will not come up by itself. */
const deathsThatEndAStart = 3
const shownLogLines = 15
/** Characters of a log line that are shown: a line of JSON may carry a whole stack. */
const widestLine = 300

/** Runs the processes of one cluster, keeps them running, and keeps `run.json` true. Stops them in one order. */
export class ClusterSupervisor {
  readonly #plan: ClusterPlan
  readonly #deps: SupervisorDeps
  readonly #processes: SupervisedProcess[] = []
  readonly #startedAt: number
  #hosts: readonly HostPlan[] = []
  #phase: RunState['phase'] = 'starting'

  constructor(plan: ClusterPlan, deps: SupervisorDeps) {
    this.#plan = plan
    this.#deps = deps
    this.#startedAt = deps.clock.now()
  }

  start(spec: ProcessSpec): void {
    const logPath = this.#plan.directory.log(spec.name)
    rotateLog(logPath)
    const supervised = new SupervisedProcess(spec, { ...this.#deps, logPath, onChange: () => this.#writeState() })
    this.#processes.push(supervised)
    supervised.start()
  }

  /** To be told before their agents are started: who reads `run.json` then knows them. */
  planHosts(hosts: readonly HostPlan[]): void {
    this.#hosts = hosts
  }

  markReady(): void {
    this.#phase = 'ready'
    this.#writeState()
  }

  /** @throws CliError, with the end of its log, when a process dies again and again while the cluster starts. */
  assertStarting(): void {
    const absent = this.#processes.find(({ cannotRun }) => cannotRun)
    if (absent !== undefined) {
      throw new CliError(`${absent.spec.command} cannot be run: is it installed? "npm start" installs what is missing.`)
    }
    const dying = this.#processes.find(({ deathsInARow }) => deathsInARow >= deathsThatEndAStart)
    if (dying !== undefined) {
      throw new CliError(`${dying.name} does not start: it ended with ${dying.lastEnd}.\n${this.logTailOf(dying.name)}`)
    }
  }

  /** The last lines that a process has logged since it was last started, indented, and where there is more. */
  logTailOf(name: string): string {
    const supervised = this.#processes.find((each) => each.name === name)
    const lines = supervised?.logTail(shownLogLines).split('\n') ?? []
    const shown = lines.map((line) => `  | ${line.length > widestLine ? `${line.slice(0, widestLine)} ...` : line}`)
    return [...shown, `  (${this.#plan.directory.log(name)})`].join('\n')
  }

  /** Ends all processes, and with them what `run.json` says. */
  async stop(): Promise<void> {
    this.#phase = 'stopping'
    this.#writeState()
    for (const group of stopOrder(this.#processes)) await Promise.all(group.map((supervised) => supervised.stop()))
    removeRunState(this.#plan.directory)
  }

  /** Ends all processes at once, without their consent. `stop`, which must be under way, then goes through. */
  killAll(): void {
    for (const supervised of this.#processes) supervised.kill()
  }

  #writeState(): void {
    const { settings, ports, directory } = this.#plan
    const supervisor = identifyProcess(process.pid)
    if (supervisor === undefined) throw new Error('this process is not in /proc')
    writeRunState(directory, {
      version: 1,
      phase: this.#phase,
      supervisor,
      startedAt: this.#startedAt,
      endpoint: endpointOf({ settings, ports }),
      ports,
      account: settings.account,
      region: settings.region,
      cluster: settings.cluster,
      hosts: this.#hosts.map(({ name, address, zone, cpu, memoryMib }) => ({ name, address, zone, cpu, memoryMib })),
      processes: this.#processes.map(({ name, identity, restarts }) => ({ name, identity, restarts })),
    })
  }
}
