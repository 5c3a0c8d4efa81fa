import type { TaskAssignment, TaskReport } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { silentLog } from '@berth/shared/log.ts'
import { seededRandom } from '@berth/shared/random.ts'
import {
  type ContainerStatus,
  containerStatusOfRank,
  taskStatusOfRank,
  type TaskStatus,
} from '@berth/shared/task-status.ts'
import { virtualClock } from '@berth/shared/virtual-clock.ts'
import { memoryDisk, openMemoryJournal, type MemoryJournal } from '../../journal/memory-journal.ts'
import type { ContainerCreate } from '../../runtime/container-runtime.ts'
import type { FakeContainer } from '../../runtime/fake/fake-container.ts'
import { fakeRuntime } from '../../runtime/fake/fake-runtime.ts'
import { fakeScript, type FakeImage, type FakeProgram, type FakeScript } from '../../runtime/fake/fake-script.ts'
import { FakeWorld } from '../../runtime/fake/fake-world.ts'
import { ResourceError, type ResourceSource } from '../container-resources.ts'
import { defaultEngineOptions, type EngineOptions } from '../engine-deps.ts'
import { type RunningEngine, startEngine } from '../engine.ts'
import { taskArnOf } from './task-builder.ts'

/** What a task is told about, with the statuses by name. */
export interface SeenTask {
  readonly status: TaskStatus | undefined
  readonly stopCode: string
  readonly stoppedReason: string
  readonly report: TaskReport
  container(name: string): TaskReport['containers'][number] & { readonly statusName: ContainerStatus | undefined }
}

export interface LabOptions {
  readonly seed?: number
  readonly images?: Readonly<Record<string, { image?: Partial<FakeImage>; program?: Partial<FakeProgram> }>>
  readonly engine?: Partial<EngineOptions>
  /** What containers that need resources are answered with. */
  readonly resources?: ResourceSource['resourcesOf']
}

const nothingNeeded: ResourceSource['resourcesOf'] = () => Promise.reject(new ResourceError('nobody knows'))

/** An engine with a scripted runtime on virtual time, whose agent can be killed and started again. */
export function engineLab({ seed = 1, images = {}, engine: over = {}, resources = nothingNeeded }: LabOptions = {}) {
  const clock = virtualClock()
  const random = seededRandom(seed)
  const played = fakeScript(images)
  const made = new Map<string, ContainerCreate>()
  const script: FakeScript = {
    ...played,
    program(wanted, reference) {
      made.set(wanted.identity.runtimeName, wanted)
      return played.program(wanted, reference)
    },
  }
  const world = new FakeWorld({ clock, random, script })
  const disk = memoryDisk()
  const options: EngineOptions = { ...defaultEngineOptions, hostAddress: '127.0.0.2', ...over }
  /** Statuses that each task was reported with, in their order. */
  const history = new Map<string, TaskStatus[]>()
  let revision = 0
  let journal: MemoryJournal
  let engine: RunningEngine

  const boot = () => {
    journal = openMemoryJournal(disk)
    const deps = { journal, clock, random, log: silentLog, resources: { resourcesOf: resources } }
    engine = startEngine({ ...deps, runtime: fakeRuntime(world, 'host') }, options)
    engine.onReport(() => note())
  }
  const note = () => {
    for (const { taskArn, status } of engine.pendingReports(Infinity)) {
      const seen = history.get(taskArn) ?? []
      const name = taskStatusOfRank(status)
      if (name && seen.at(-1) !== name) seen.push(name)
      history.set(taskArn, seen)
    }
  }
  boot()

  const lab = {
    clock,
    world,
    disk,
    get engine(): RunningEngine {
      return engine
    },
    /** Sends a delta. */
    assign: (...put: TaskAssignment[]) => lab.apply({ put }),
    /** Says that the cell needs no more word of these tasks. */
    remove: (...names: string[]) => lab.apply({ removeTaskArns: names.map(taskArnOf) }),
    /** Sends everything that the host is to run. */
    assignFull: (...put: TaskAssignment[]) => lab.apply({ put, full: true }),
    async apply(set: { put?: TaskAssignment[]; removeTaskArns?: string[]; full?: boolean }) {
      const number = ++revision
      await engine.apply({ revision: { epoch: 1, number }, full: false, put: [], removeTaskArns: [], ...set })
      await clock.settle()
    },
    /** Ends the agent as kill -9 does. */
    crash() {
      journal.crash()
      engine.stop()
    },
    boot,
    history: (name: string): readonly TaskStatus[] => history.get(taskArnOf(name)) ?? [],
    seen(name: string): SeenTask {
      engine.reportAll()
      const report = engine.pendingReports(Infinity).find((each) => each.taskArn === taskArnOf(name))
      if (!report) throw new Error(`No word of task ${name}`)
      return {
        status: taskStatusOfRank(report.status),
        stopCode: report.stopCode,
        stoppedReason: report.stoppedReason,
        report,
        container(containerName) {
          const found = report.containers.find((each) => each.name === containerName)
          if (!found) throw new Error(`No word of container ${containerName}`)
          return { ...found, statusName: containerStatusOfRank(found.status) }
        },
      }
    },
    /** The containers of a task that the runtime has. */
    containers: (name: string): FakeContainer[] =>
      [...world.containers.values()].filter((each) => each.wanted.identity.taskArn === taskArnOf(name)),
    /** One container of a task. */
    container(name: string, containerName: string): FakeContainer {
      const found = lab.containers(name).find((each) => each.wanted.identity.containerName === containerName)
      if (!found) throw new Error(`Task ${name} has no container ${containerName}`)
      return found
    },
    /** All that one container of a task was made with. */
    made: (name: string, containerName: string): ContainerCreate | undefined =>
      made.get(lab.container(name, containerName).wanted.identity.runtimeName),
    /** Lets time pass. */
    after: (ms: number) => clock.advanceBy(ms),
  }
  return lab
}
