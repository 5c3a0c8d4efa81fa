import { textTable } from '../text-table.ts'
import { counted } from '../counted.ts'
import type { ClusterView, HostView, ProcessView, StoreReturnView, Usage } from './cluster-view.ts'

/** The view of a cluster as a person reads it. What there is none of has no table, but a sentence. */
export function statusReport(view: ClusterView): readonly string[] {
  return [
    `Berth is up at ${view.endpoint} (account ${view.account}, region ${view.region}), for ${timeSpan(view.upForMs)}.`,
    ...troubles(view),
    '',
    ...hostLines(view),
    '',
    ...serviceLines(view),
    '',
    ...taskLines(view),
  ]
}

function troubles({ supervised, processes, storeReturn }: ClusterView): readonly string[] {
  return [
    ...(storeReturn === undefined ? [] : [storeTrouble(storeReturn)]),
    ...(supervised ? [] : ['Nobody looks after it: its supervisor was killed. "berth up" takes over.']),
    ...processes.flatMap(processTrouble),
  ]
}

const storeTrouble = ({ reason, quarantinedUntil, adoptedTasks }: StoreReturnView): string =>
  `THE STORE WENT BACK: ${reason}. ${counted(adoptedTasks, 'task')} of hosts taken over; nothing is replaced or stopped by itself until ${new Date(quarantinedUntil).toISOString()}.`

function processTrouble({ name, running, restarts }: ProcessView): readonly string[] {
  if (!running) return [`${name} is down.`]
  return restarts > 0 ? [`${name} has been restarted ${restarts === 1 ? 'once' : `${restarts} times`}.`] : []
}

const hostLines = ({ hosts }: ClusterView): readonly string[] =>
  hosts.length === 0
    ? ['No hosts.']
    : textTable(
        [
          { head: 'HOST' },
          { head: 'CLUSTER' },
          { head: 'ADDRESS' },
          { head: 'ZONE' },
          { head: 'CPU', align: 'right' },
          { head: 'MEMORY', align: 'right' },
          { head: 'EC2 TASKS', align: 'right' },
          { head: 'STATE' },
        ],
        hosts.map((host) => [
          host.name,
          host.cluster,
          host.address,
          host.zone,
          used(host.cpu),
          `${used(host.memoryMib)} MiB`,
          String(host.tasks),
          hostState(host),
        ]),
      )

const used = ({ used, total }: Usage): string => `${used} / ${total}`

function hostState({ status, connected }: HostView): string {
  const connection = connected ? 'connected' : 'DISCONNECTED'
  return status === 'ACTIVE' ? connection : `${status}, ${connection}`
}

const serviceLines = ({ services }: ClusterView): readonly string[] =>
  services.length === 0
    ? ['No services.']
    : textTable(
        [
          { head: 'SERVICE' },
          { head: 'CLUSTER' },
          { head: 'TASK DEFINITION' },
          { head: 'DESIRED', align: 'right' },
          { head: 'RUNNING', align: 'right' },
          { head: 'PENDING', align: 'right' },
          { head: 'ROLLOUT' },
        ],
        services.map((service) => [
          service.name,
          service.cluster,
          service.taskDefinition,
          String(service.desired),
          String(service.running),
          String(service.pending),
          service.status === 'ACTIVE' ? service.rollout : service.status,
        ]),
      )

const taskLines = ({ tasks }: ClusterView): readonly string[] =>
  tasks.length === 0
    ? ['No clusters.']
    : textTable(
        [{ head: 'CLUSTER' }, { head: 'RUNNING TASKS', align: 'right' }, { head: 'PENDING TASKS', align: 'right' }],
        tasks.map(({ cluster, running, pending }) => [cluster, String(running), String(pending)]),
      )

const second = 1000
const units = [
  { name: 'day', ms: 86_400 * second },
  { name: 'hour', ms: 3600 * second },
  { name: 'minute', ms: 60 * second },
  { name: 'second', ms: second },
] as const

/** A span of time in its largest unit, rounded down: as much as a person wants to know. */
export function timeSpan(ms: number): string {
  const unit = units.find((each) => ms >= each.ms) ?? units[3]
  const count = Math.max(0, Math.floor(ms / unit.ms))
  return `${count} ${unit.name}${count === 1 ? '' : 's'}`
}
