import type { ContainerInstance, Resource } from '@aws-sdk/client-ecs'
import { hostAttribute } from '../hosts/lab-host.ts'
import type { ClusterView, EngineContainer } from '../hosts/cluster-view.ts'
import type { Ledger } from './ledger.ts'
import { fixedPort, idOf, taskSize } from './load.ts'

/** All that is looked at when everything is healed and quiet. */
export interface FinalView {
  readonly cluster: ClusterView
  /** Of every host, as its own engine tells them. */
  readonly containers: readonly EngineContainer[]
  readonly ledger: Ledger
  /** Whether a fault of the run may have ended tasks that nobody asked to stop. */
  readonly mayEnd: boolean
}

/** Why tasks stop that somebody wanted to stop. */
const asked: ReadonlySet<string> = new Set(['UserInitiated', 'ServiceSchedulerInitiated'])

/** What must be so in the end; each says what is wrong, in sentences. */
export const finalInvariants: Readonly<Record<string, (view: FinalView) => readonly string[]>> = {
  'every acknowledged task exists, or has ended with a reason': ({ cluster, ledger }) => {
    const told = new Map(cluster.tasks.map((task) => [task.taskArn, task]))
    return [...ledger.started.keys()].flatMap((arn) => {
      const task = told.get(arn)
      if (task === undefined) return `task ${idOf(arn)} was acknowledged and does not exist`
      if (task.lastStatus === 'STOPPED') return task.stoppedReason ? [] : `task ${idOf(arn)} has ended without a reason`
      return task.lastStatus === 'RUNNING' ? [] : `task ${idOf(arn)} is still ${task.lastStatus}`
    })
  },
  'no request was carried out twice': ({ cluster, ledger }) => {
    const made = Map.groupBy(cluster.tasks, ({ startedBy = '' }) => startedBy)
    return [...ledger.operations].flatMap(([operation, count]) => {
      const tasks = made.get(operation)?.length ?? 0
      return tasks === count ? [] : `RunTask ${operation} was answered with ${count} tasks, and there are ${tasks}`
    })
  },
  'every acknowledged stop has happened': ({ cluster, ledger }) =>
    cluster.tasks.flatMap(({ taskArn = '', lastStatus }) =>
      ledger.stopped.has(taskArn) && lastStatus !== 'STOPPED'
        ? `the stop of task ${idOf(taskArn)} was acknowledged, and it is ${lastStatus}`
        : [],
    ),
  'no task has ended that nobody asked to, where no fault explains it': ({ cluster, mayEnd }) =>
    cluster.tasks.flatMap(({ taskArn = '', taskDefinitionArn = '', stopCode, stoppedReason, lastStatus }) =>
      mayEnd || lastStatus !== 'STOPPED' || taskDefinitionArn.includes('/short:') || asked.has(stopCode ?? '')
        ? []
        : `task ${idOf(taskArn)} has ended by itself: ${stopCode} ${stoppedReason}`,
    ),
  'every service has its desired count, which somebody asked for': ({ cluster, ledger }) =>
    [...ledger.desiredCounts].flatMap(([name, counts]) => {
      const service = cluster.services.find(({ serviceName }) => serviceName === name)
      if (service === undefined) return `service ${name} was acknowledged and does not exist`
      const { desiredCount = -1, runningCount, pendingCount } = service
      if (!counts.has(desiredCount))
        return `service ${name} wants ${desiredCount}; asked for was ${[...counts].join(' or ')}`
      return runningCount === desiredCount && pendingCount === 0
        ? []
        : `service ${name} wants ${desiredCount}, has ${runningCount} running and ${pendingCount} pending`
    }),
  'no container runs without a task': ({ cluster, containers }) => {
    const told = new Map(cluster.tasks.map((task) => [task.taskArn, task]))
    return containers.flatMap(({ host, name, taskArn, running }) => {
      const status = told.get(taskArn)?.lastStatus
      return running && (status === undefined || status === 'STOPPED')
        ? `container ${name} of task ${idOf(taskArn)} runs on ${host}, and the task ${status ?? 'does not exist'}`
        : []
    })
  },
  'every task that runs has its container, and one only': ({ cluster, containers }) => {
    const running = Map.groupBy(
      containers.filter((each) => each.running),
      ({ taskArn }) => taskArn,
    )
    return cluster.tasks.flatMap(({ taskArn = '', lastStatus }) => {
      const count = running.get(taskArn)?.length ?? 0
      return lastStatus === 'RUNNING' && count !== 1
        ? `task ${idOf(taskArn)} is RUNNING and has ${count} containers`
        : []
    })
  },
  'what no task holds any more is free again': ({ cluster, containers }) =>
    cluster.hosts.flatMap((host) => leaks(host, cluster, containers)),
  'every host is connected and well': ({ cluster }) =>
    cluster.hosts.flatMap((host) => (host.agentConnected ? [] : `${nameOf(host)} is not connected`)),
}

function leaks(
  host: ContainerInstance,
  cluster: ClusterView,
  containers: readonly EngineContainer[],
): readonly string[] {
  const tasks = cluster.tasks.filter(
    ({ containerInstanceArn, lastStatus }) =>
      containerInstanceArn === host.containerInstanceArn && lastStatus !== 'STOPPED',
  )
  const used = (name: string) => amount(host.registeredResources, name) - amount(host.remainingResources, name)
  const problems: string[] = []
  for (const [name, each] of [
    ['CPU', taskSize.cpu],
    ['MEMORY', taskSize.memory],
  ] as const)
    if (used(name) !== each * tasks.length)
      problems.push(`${nameOf(host)} has ${tasks.length} tasks of ${each} ${name}, and ${used(name)} are taken`)
  const ports = host.remainingResources?.find(({ name }) => name === 'PORTS')?.stringSetValue ?? []
  const holders = tasks.filter(({ taskDefinitionArn = '' }) => taskDefinitionArn.includes('/fixed:')).length
  if (holders > 1) problems.push(`${nameOf(host)} has ${holders} tasks that all hold port ${fixedPort}`)
  if (holders === 0 && ports.includes(String(fixedPort)))
    problems.push(`${nameOf(host)} has port ${fixedPort} taken, by no task`)
  if (new Set(containers.map(({ id }) => id)).size !== containers.length)
    problems.push('an engine told of a container twice')
  return problems
}

const amount = (resources: readonly Resource[] | undefined, name: string): number =>
  resources?.find((each) => each.name === name)?.integerValue ?? 0

const nameOf = ({ attributes, containerInstanceArn }: ContainerInstance): string =>
  attributes?.find(({ name }) => name === hostAttribute)?.value ?? containerInstanceArn ?? 'a host'
