import type { TaskRecord } from '@berth/control-plane/cell/records.ts'
import { hostCapacity } from '../simulated-host.ts'
import { firstOf, holdsRoom, type Invariant, isLeftover } from './view.ts'

/** No host is promised more CPU, memory or network interfaces than it has, by the tasks in the store. */
export const hostsHoldTheirClaims: Invariant = ({ records }) => {
  const claimed = Map.groupBy(Array.from(records.tasks.values()).filter(holdsRoom), (task) => task.hostId ?? '')
  return firstOf(
    Array.from(claimed, ([hostId, tasks]) => {
      const host = records.hosts.get(hostId)
      if (!host) return `tasks are on host ${hostId}, which does not exist`
      return firstOf([
        exceeds(hostId, 'CPU units', sum(tasks, 'cpu'), host.cpu),
        exceeds(hostId, 'MiB', sum(tasks, 'memoryMib'), host.memoryMib),
        exceeds(hostId, 'network interfaces', sum(tasks, 'networkInterfaces'), host.networkInterfaces),
      ])
    }),
  )
}

const sum = (tasks: readonly TaskRecord[], what: 'cpu' | 'memoryMib' | 'networkInterfaces'): number =>
  tasks.reduce((total, { claim }) => total + claim[what], 0)

const exceeds = (host: string, what: string, taken: number, there: number): string | undefined =>
  taken > there ? `host ${host} is promised ${taken} ${what} and has ${there}` : undefined

/** No host port is granted to two tasks of one host. */
export const hostPortsAreGrantedOnce: Invariant = ({ records }) => {
  const holders = new Map<string, string>()
  for (const task of records.tasks.values()) {
    if (!holdsRoom(task)) continue
    for (const port of claimedPorts(task)) {
      const key = `${task.hostId}:${port}`
      const holder = holders.get(key)
      if (holder !== undefined && holder !== task.id) return `port ${key} is granted to tasks ${holder} and ${task.id}`
      holders.set(key, task.id)
    }
  }
  return undefined
}

const claimedPorts = ({ claim }: TaskRecord): string[] => [
  ...claim.ports.map(({ port, protocol }) => `${port}/${protocol}`),
  ...claim.dynamicPorts.flatMap((port) => [`${port}/tcp`, `${port}/udp`]),
]

/** No task fails for a port: the cell granted it, so it is free, or becomes so as soon as what held it has stopped. */
export const grantedPortsAreFree: Invariant = ({ records }) => {
  for (const { id, stoppedReason = '', containers } of records.tasks.values()) {
    const reasons = [stoppedReason, ...containers.map(({ reason = '' }) => reason)]
    const refused = reasons.find((reason) => /is already in use by task|port is already allocated/.test(reason))
    if (refused !== undefined) return `task ${id} could not start: ${refused}`
  }
  return undefined
}

/** What runs on a host takes no more than the host has. Leftovers of tasks that are over do not count. */
export const hostsHoldTheirContainers: Invariant = (view) =>
  firstOf(
    view.hosts.map(({ name, world }) => {
      let cpu = 0
      let memory = 0
      let interfaces = 0
      for (const container of world.containers.values()) {
        const { state, wanted } = container
        if (state !== 'running' || isLeftover(view, container)) continue
        cpu += wanted.cpuShares
        memory += wanted.memoryReservationMib ?? wanted.memoryMib ?? 0
        if (wanted.network.kind === 'task') interfaces += 1
      }
      return firstOf([
        exceeds(name, 'CPU units of running containers', cpu, hostCapacity.cpu),
        exceeds(name, 'MiB of running containers', memory, hostCapacity.memoryMib),
        exceeds(name, 'network interfaces in use', interfaces, hostCapacity.networkInterfaces),
      ])
    }),
  )
