import type { HostFleet } from '../../scheduler/host-fleet.ts'

/** How much of a host, or of all hosts, is promised to tasks. CPU units and MiB. */
export interface Fullness {
  readonly cpu: number
  readonly cpuTotal: number
  readonly memory: number
  readonly memoryTotal: number
  readonly tasks: number
}

const nothing: Fullness = { cpu: 0, cpuTotal: 0, memory: 0, memoryTotal: 0, tasks: 0 }

/** What the tasks on a host hold; nothing for one that is not in the fleet. */
export function fullnessOf(fleet: HostFleet, hostId: string): Fullness | undefined {
  const host = fleet.hostNamed(hostId)
  const room = fleet.roomOn(hostId)
  if (host === undefined || room === undefined) return undefined
  return {
    cpu: host.cpu - room.cpu,
    cpuTotal: host.cpu,
    memory: host.memory - room.memory,
    memoryTotal: host.memory,
    tasks: room.runningTasks,
  }
}

/** All hosts of a pool that may be given tasks, together. */
export function fullnessOfPool(fleet: HostFleet, pool: string): Fullness & { readonly hosts: number } {
  const { slots } = fleet.pool(pool)
  let sum = nothing
  let hosts = 0
  for (let at = 0; at < slots.size; at++) {
    const slot = slots.members[at] as number
    if (fleet.placeable[slot] !== 1) continue
    hosts++
    sum = addFullness(sum, fullnessOf(fleet, fleet.hostAt(slot).id) ?? nothing)
  }
  return { ...sum, hosts }
}

const addFullness = (a: Fullness, b: Fullness): Fullness => ({
  cpu: a.cpu + b.cpu,
  cpuTotal: a.cpuTotal + b.cpuTotal,
  memory: a.memory + b.memory,
  memoryTotal: a.memoryTotal + b.memoryTotal,
  tasks: a.tasks + b.tasks,
})

/** The same hosts with so many more tasks of one size. */
export const withTasks = <F extends Fullness>(
  fullness: F,
  { cpu, memory }: { readonly cpu: number; readonly memory: number },
  tasks: number,
): F => ({
  ...fullness,
  cpu: fullness.cpu + cpu * tasks,
  memory: fullness.memory + memory * tasks,
  tasks: fullness.tasks + tasks,
})
