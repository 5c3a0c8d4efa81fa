import { setTimeout as wait } from 'node:timers/promises'
import type { Task } from '@aws-sdk/client-ecs'
import { type TaskStatus, taskStatusRank } from '@berth/shared/task-status.ts'
import { containersOn, describeTasks, type EngineContainer, viewHosts } from '../hosts/cluster-view.ts'
import type { HostsLab } from '../hosts/hosts-lab.ts'
import type { LabHost } from '../hosts/lab-host.ts'

/** What was seen of engines and API while a run went on. */
export interface EngineWatch {
  readonly samples: number
  /** Most CPU units that containers held on a host at once, of all its containers. */
  readonly peakCpu: number
  stop(): Promise<void>
}

export interface HostSize {
  readonly cpu: number
  readonly memoryMib: number
}

const everyMs = 300

/**
 * Looks at every engine again and again, and says what may never be: a task on two hosts, two containers of one name in a task, a container
 * that was started twice, more running on a host than it offers, a status that went back before a reader's eyes.
 */
export function watchEngines(lab: HostsLab, size: HostSize, violated: (what: string) => void): EngineWatch {
  const ending = new AbortController()
  const idOfContainer = new Map<string, string>()
  const startOf = new Map<string, string>()
  const ranks = new Map<string, TaskStatus>()
  const lastTold = new Map<string, Task>()
  let samples = 0
  let peakCpu = 0

  const look = async (host: LabHost) => {
    // Asked first: what runs when the engine is asked did so when the task had STOPPED.
    const ended = new Map(lastTold)
    const containers = await patiently(containersOn(host))
    samples++
    for (const each of containers) if (!isNeverStarted(each)) remember(each)
    const running = containers.filter(({ running: runs }) => runs)
    peakCpu = Math.max(peakCpu, sumOf(running, 'cpuShares'))
    // What was given up while its host was away is on its way out, and not counted: its room is somebody else's already.
    const counted = running.filter(({ taskArn }) => !wasGivenUp(ended.get(taskArn)))
    for (const { taskArn, name } of counted)
      if (ended.get(taskArn)?.lastStatus === 'STOPPED')
        violated(`task ${taskArn} was STOPPED, and its container ${name} ran on on ${host.name}`)
    if (!fits(counted, size))
      violated(
        `${host.name} runs ${sumOf(counted, 'cpuShares')} CPU units and ${sumOf(counted, 'memoryMib')} MiB, and has ${size.cpu} and ${size.memoryMib}`,
      )
  }
  const remember = ({ id, host, taskArn, name, startedAt }: EngineContainer) => {
    const key = `${taskArn} ${name}`
    const known = idOfContainer.get(key)
    if (known !== undefined && known !== `${host} ${id}`)
      violated(`task ${taskArn} has two containers ${name}: ${known} and ${host} ${id}`)
    idOfContainer.set(key, `${host} ${id}`)
    const before = startOf.get(id)
    if (before !== undefined && before !== startedAt) violated(`container ${name} of ${taskArn} was started twice`)
    startOf.set(id, startedAt)
  }
  const read = async () => {
    const controlPlane = lab.controlPlanes[samples % lab.controlPlanes.length]
    const client = lab.client(controlPlane)
    try {
      const arns = [...new Set([...idOfContainer.keys()].map((key) => key.split(' ')[0] ?? ''))].slice(-80)
      const told = await patiently(describeTasks(client, arns))
      for (const arn of arns)
        if (!told.some(({ taskArn }) => taskArn === arn))
          violated(`there was a container of ${arn}, which was never stored`)
      for (const task of told) {
        const { taskArn = '', lastStatus } = task
        const now = lastStatus as TaskStatus
        const before = ranks.get(taskArn)
        if (before !== undefined && taskStatusRank[now] < taskStatusRank[before])
          violated(`a reader saw task ${taskArn} go from ${before} to ${now}`)
        ranks.set(taskArn, now)
        lastTold.set(taskArn, task)
      }
      for (const { remainingResources = [], containerInstanceArn } of await patiently(viewHosts(client)))
        for (const { name, integerValue = 0 } of remainingResources)
          if (['CPU', 'MEMORY'].includes(name ?? '') && integerValue < 0)
            violated(`${containerInstanceArn} is promised more ${name} than it has: ${integerValue} remain`)
    } finally {
      client.destroy()
    }
  }
  const keep = async (work: () => Promise<void>) => {
    while (!ending.signal.aborted) {
      // Whoever is asked may be down at the moment.
      await work().catch(() => {})
      await wait(everyMs)
    }
  }
  const working = Promise.all([...lab.hosts.map((host) => keep(() => look(host))), keep(read)])
  return {
    get samples() {
      return samples
    },
    get peakCpu() {
      return peakCpu
    },
    async stop() {
      ending.abort()
      await working
    },
  }
}

/** Whether a task was ended without its host's word. */
const wasGivenUp = (task: Task | undefined): boolean =>
  task?.lastStatus === 'STOPPED' && task.connectivity === 'DISCONNECTED'

const fits = (containers: readonly EngineContainer[], { cpu, memoryMib }: HostSize): boolean =>
  sumOf(containers, 'cpuShares') <= cpu && sumOf(containers, 'memoryMib') <= memoryMib

export const sumOf = (containers: readonly EngineContainer[], what: 'cpuShares' | 'memoryMib'): number =>
  containers.reduce((sum, container) => sum + container[what], 0)

const isNeverStarted = ({ startedAt }: EngineContainer): boolean => startedAt.startsWith('0001-')

async function patiently<T>(asked: Promise<T>): Promise<T> {
  const late = wait(5000, undefined, { ref: false }).then(() => Promise.reject(new Error('no answer')))
  late.catch(() => {})
  return Promise.race([asked, late])
}
