import type { HostRecord, MoveReason, ServiceRecord, TaskRecord } from '../cell/records.ts'

/**
 * What a service says of moves of its tasks. Of zones in ECS's words (developer guide, "Availability Zone service rebalancing service event
 * messages"); the rest is Berth's.
 */

const listed = (tasks: readonly TaskRecord[]): string => tasks.map(({ id }) => `(task ${id})`).join(' ')

/** How many tasks are in which zone, in the order of the zones' names. */
export type ZoneCounts = readonly (readonly [zone: string, tasks: number])[]

export const zonesUneven = ({ name }: ServiceRecord, counts: ZoneCounts): string =>
  `(service ${name}) is not AZ balanced with ${joined(
    counts.map(([zone, tasks], at) => (at === 0 ? `${tasks} tasks in ${zone}` : `${tasks} in ${zone}`)),
  )}. AZ Rebalancing in progress.`

export const zonesEven = ({ name }: ServiceRecord, counts: ZoneCounts): string =>
  `(service ${name}) is AZ balanced with ${joined(counts.map(([zone, tasks]) => `${tasks} tasks in ${zone}`))}.`

function joined(parts: readonly string[]): string {
  if (parts.length <= 2) return parts.join(' and ')
  return `${parts.slice(0, -1).join(', ')}, and ${parts.at(-1)}`
}

const zoneOf = (task: TaskRecord): string => task.availabilityZone ?? ''

export const moveStarted = ({ name }: ServiceRecord, task: TaskRecord, reason: MoveReason): string =>
  reason === 'zones'
    ? `(service ${name}) has started 1 tasks in ${zoneOf(task)} to AZ Rebalance: ${listed([task])}.`
    : `(service ${name}) has started 1 tasks on (container-instance ${task.hostId}) ${purpose[reason]}: ${listed([task])}.`

export const moveFinished = ({ name }: ServiceRecord, task: TaskRecord, reason: MoveReason): string =>
  reason === 'zones'
    ? `(service ${name}) has stopped 1 running tasks in ${zoneOf(task)} due to AZ rebalancing: ${listed([task])}.`
    : `(service ${name}) has stopped 1 running tasks on (container-instance ${task.hostId}) ${purpose[reason]}: ${listed([task])}.`

const purpose = {
  zones: 'to rebalance zones',
  spread: 'to spread tasks again',
  'empty-hosts': 'to empty a container instance',
} as const satisfies Record<MoveReason, string>

export const moveGivenUp = ({ name }: ServiceRecord, task: TaskRecord, host: HostRecord | undefined): string =>
  `(service ${name}) has given up moving a task to (container-instance ${host?.id ?? task.hostId}): ${listed([task])} ${
    task.stoppedReason ?? 'failed container health checks'
  }`

/** The reason of a task that stopped because another has taken its place. */
export const replacedReason: Readonly<Record<MoveReason, string>> = {
  zones: 'Task stopped due to Availability Zone rebalancing.',
  spread: 'Task stopped because another has taken its place, to spread its service again.',
  'empty-hosts': 'Task stopped because another has taken its place, to empty its container instance.',
}

/** The reason of a new task whose move is not made after all. */
export const calledOffReason = 'Task stopped because the move that it was started for is called off.'
