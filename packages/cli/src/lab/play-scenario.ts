import { type Clock, sleep } from '@berth/shared/clock.ts'
import { type Random, systemRandom } from '@berth/shared/random.ts'
import { CliError } from '../cli-error.ts'
import { waitUntil } from '../wait-until.ts'
import { labTaskDefinition } from './lab-task-definition.ts'
import type { LabCluster } from './lab-cluster.ts'
import { draw, type LabHostList } from './lab-hosts.ts'
import type { StepReport } from './lab-report.ts'
import type { HostWorkers } from './host-workers.ts'
import type { Recorder } from './recorder.ts'
import type { Refusals } from './refusals.ts'
import { runTasks } from './run-tasks.ts'
import {
  type LabHosts,
  placementConstraint,
  placementStrategy,
  type Scenario,
  type Step,
  type StepOf,
  type TargetHosts,
} from './scenario.ts'
import { unrest, viewServices } from './steady.ts'

export interface Stage {
  readonly clock: Clock
  readonly random: Random
  readonly cluster: LabCluster
  readonly workers: HostWorkers
  readonly hosts: LabHostList
  readonly recorder: Recorder
  readonly refusals: Refusals
  readonly signal: AbortSignal
  readonly onStep: (name: string) => void
}

/** A step that went wrong in the way that a scenario is there to find out; the run goes on. */
interface Outcome {
  readonly note: string
  readonly succeeded: boolean
  /** When it had come about, where it took longer to be sure of it; in ms since the first step. */
  readonly atMs?: number
}

/** What the control plane says of a cluster in one word. */
interface ClusterCounts {
  readonly registeredContainerInstancesCount: number
  readonly pendingTasksCount: number
}

const went = (note: string): Outcome => ({ note, succeeded: true })
const lookEveryMs = 500
const hostsWithinMs = 300_000
/** Container instances of one UpdateContainerInstancesState. */
const perStateChange = 10

/** Plays scenarios: the hosts that it begins with, then its steps, one after the other. */
export class Player {
  readonly services: string[] = []
  readonly #stage: Stage
  readonly #scenario: Scenario
  /** The task of each service, and how often each task was registered. */
  readonly #taskOfService = new Map<string, string>()
  readonly #versions = new Map<string, number>()

  constructor(scenario: Scenario, stage: Stage) {
    this.#scenario = scenario
    this.#stage = stage
  }

  async play(): Promise<StepReport[]> {
    const { recorder, onStep, signal } = this.#stage
    const first: Step = { kind: 'addHosts', with: this.#scenario.hosts }
    const reports: StepReport[] = []
    for (const step of [...(this.#scenario.hosts.count > 0 ? [first] : []), ...this.#scenario.steps]) {
      signal.throwIfAborted()
      const name = nameOf(step)
      onStep(name)
      const fromMs = recorder.elapsedMs()
      const { atMs = recorder.elapsedMs(), ...outcome } = await this.#do(step)
      reports.push({ name, fromMs, toMs: atMs, ...outcome })
    }
    return reports
  }

  #do(step: Step): Promise<Outcome> {
    switch (step.kind) {
      case 'addHosts':
        return this.#addHosts({ ...this.#scenario.hosts, ...defined(step.with) })
      case 'createService':
        return this.#createService(step.with)
      case 'runTasks':
        return this.#runTasks(step.with)
      case 'kill':
        return this.#fail('kill', step.with)
      case 'partition':
        return this.#fail('partition', step.with)
      case 'return':
        return this.#return(step.with)
      case 'drain':
        return this.#drain(step.with, 'ACTIVE', 'DRAINING')
      case 'undrain':
        return this.#drain(step.with, 'DRAINING', 'ACTIVE')
      case 'deploy':
        return this.#deploy(step.with)
      case 'wait':
        return this.#wait(step.with)
      default:
        return this.#waitUntilSteady(step.with)
    }
  }

  async #addHosts(hosts: LabHosts): Promise<Outcome> {
    const { clock, signal, workers, hosts: list, recorder } = this.#stage
    await workers.add(list.add(hosts))
    const connected = async (): Promise<true | undefined> => {
      if ((await this.#counts()).registeredContainerInstancesCount < list.up) return undefined
      return (await recorder.look()).filter((host) => host.connected).length >= list.up ? true : undefined
    }
    const came = await waitUntil({ clock, signal, everyMs: lookEveryMs, deadlineMs: hostsWithinMs }, connected)
    return came ? went('') : { note: `not all are connected after ${hostsWithinMs / 1000} s`, succeeded: false }
  }

  async #createService({ name, task, count, strategy, constraints }: StepOf<'createService'>): Promise<Outcome> {
    const { cluster } = this.#stage
    await cluster.ecs('CreateService', {
      cluster: cluster.cluster,
      serviceName: name,
      taskDefinition: await this.#register(task),
      desiredCount: count,
      launchType: 'EC2',
      placementStrategy: strategy.map(placementStrategy),
      placementConstraints: constraints.map(placementConstraint),
    })
    this.services.push(name)
    this.#taskOfService.set(name, task)
    return went('')
  }

  async #runTasks({ task, count, rate, strategy, constraints }: StepOf<'runTasks'>): Promise<Outcome> {
    const { cluster } = this.#stage
    const input = {
      cluster: cluster.cluster,
      taskDefinition: await this.#register(task),
      launchType: 'EC2',
      placementStrategy: strategy.map(placementStrategy),
      placementConstraints: constraints.map(placementConstraint),
    }
    const { tasksPerCall, ecs } = cluster
    // Tokens are not the seed's to draw: a second run against the same control plane would be answered with the first one's tasks.
    const { workers } = this.#stage
    const started = () => workers.news().started
    const deps = { ...this.#stage, random: systemRandom(), ecs, tasksPerCall, started }
    const taken = await runTasks({ input, count, rate }, deps)
    return went(taken === count ? '' : `${count - taken} of ${count} tasks were refused`)
  }

  async #fail(kind: 'kill' | 'partition', target: TargetHosts): Promise<Outcome> {
    const { hosts, workers } = this.#stage
    const numbers = hosts.take(target, kind === 'kill' ? 'killed' : 'partitioned')
    await workers.order(kind, numbers)
    return went(`${numbers.length} hosts`)
  }

  async #return(target: TargetHosts): Promise<Outcome> {
    const { hosts, workers } = this.#stage
    const numbers = hosts.bringBack(target)
    await workers.order('return', numbers)
    return went(`${numbers.length} hosts`)
  }

  async #drain(target: TargetHosts, from: string, to: string): Promise<Outcome> {
    const { cluster, hosts, recorder, random } = this.#stage
    const zone = hosts.zoneOf(target)
    const candidates = (await recorder.look())
      .filter((host) => host.connected && host.status === from && (zone === undefined || host.zone === zone))
      .map(({ arn }) => arn)
    const chosen = draw(candidates, target.hosts, random)
    for (let at = 0; at < chosen.length; at += perStateChange) {
      const containerInstances = chosen.slice(at, at + perStateChange)
      const input = { cluster: cluster.cluster, containerInstances, status: to }
      await cluster.ecs('UpdateContainerInstancesState', input)
    }
    return went(`${chosen.length} hosts`)
  }

  async #deploy({ service }: StepOf<'deploy'>): Promise<Outcome> {
    const { cluster } = this.#stage
    const taskDefinition = await this.#register(this.#taskOfService.get(service) ?? '', 'anew')
    await cluster.ecs('UpdateService', { cluster: cluster.cluster, service, taskDefinition })
    return went('')
  }

  async #wait(forMs: number): Promise<Outcome> {
    await sleep(this.#stage.clock, forMs, this.#stage.signal)
    return went('')
  }

  async #waitUntilSteady(withinMs: number): Promise<Outcome> {
    const { clock, signal, cluster, hosts, recorder } = this.#stage
    let why: string | undefined
    let atMs = 0
    const steady = await waitUntil({ clock, signal, everyMs: lookEveryMs, deadlineMs: withinMs }, async () => {
      // One call says whether it is worth looking at every host.
      const { pendingTasksCount } = await this.#counts()
      atMs = recorder.elapsedMs()
      if (pendingTasksCount > 0) {
        why = `${pendingTasksCount} tasks are pending`
        return undefined
      }
      const services = await viewServices(cluster.ecs, cluster.cluster, this.services)
      why = unrest(await recorder.look(), hosts.up, services)
      return why === undefined ? true : undefined
    })
    // A look at ten thousand hosts takes seconds, in which nothing has to become steady any more.
    return steady ? { ...went(''), atMs } : { note: `not steady: ${why}`, succeeded: false }
  }

  async #counts(): Promise<ClusterCounts> {
    const { ecs, cluster } = this.#stage.cluster
    const { clusters } = await ecs<{ clusters: readonly ClusterCounts[] }>('DescribeClusters', { clusters: [cluster] })
    const [counts] = clusters
    if (counts === undefined) throw new CliError(`Cluster ${cluster} is gone.`)
    return counts
  }

  /** The task definition of a task, registered when it is first needed, and for each deployment. */
  async #register(task: string, when: 'once' | 'anew' = 'once'): Promise<string> {
    const definition = this.#scenario.tasks[task]
    if (definition === undefined) throw new Error(`the scenario has no task ${task}`)
    const before = this.#versions.get(task) ?? 0
    const version = when === 'anew' || before === 0 ? before + 1 : before
    if (version > before) {
      await this.#stage.cluster.ecs('RegisterTaskDefinition', labTaskDefinition(task, definition, version))
      this.#versions.set(task, version)
    }
    return `lab-${task}`
  }
}

/** Members that were said. */
const defined = (hosts: StepOf<'addHosts'>): Partial<LabHosts> =>
  Object.fromEntries(Object.entries(hosts).filter(([, value]) => value !== undefined))

/** A step in a line: `runTasks web, 100`. */
function nameOf(step: Step): string {
  switch (step.kind) {
    case 'addHosts':
      return `add ${step.with.count} hosts`
    case 'createService':
      return `create service ${step.with.name} of ${step.with.count} ${step.with.task}`
    case 'runTasks':
      return `run ${step.with.count} ${step.with.task}${step.with.rate === undefined ? '' : ` at ${step.with.rate}/s`}`
    case 'deploy':
      return `deploy ${step.with.service}`
    case 'wait':
      return `wait ${step.with / 1000} s`
    case 'waitUntilSteady':
      return 'wait until steady'
    default: {
      const { hosts, zone } = step.with
      const many = hosts === undefined ? (zone === undefined ? 'all hosts' : 'the hosts') : `${hosts} hosts`
      return `${step.kind} ${many}${zone === undefined ? '' : ` of zone ${zone}`}`
    }
  }
}
