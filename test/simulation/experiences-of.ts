import type { HostRecord, ServiceRecord, TaskRecord } from '@berth/control-plane/cell/records.ts'
import type { DurableChange } from './durable-records.ts'
import { wasGivenUp } from './invariants/view.ts'
import type { Experience } from './tally.ts'

/** What a change of a record means that a run went through. */
export function experiencesOf(change: DurableChange): readonly Experience[] {
  const { before, after } = change
  if (!before || !after) return []
  if (change.table === 'tasks') return ofTask(before as TaskRecord, after as TaskRecord)
  if (change.table === 'hosts') return ofHost(before as HostRecord, after as HostRecord)
  if (change.table === 'services') return ofService(before as ServiceRecord, after as ServiceRecord)
  return []
}

/** Those of the rows that are so now and were not before. */
const news = <R>(rows: readonly (readonly [Experience, (record: R) => boolean])[], before: R, after: R): Experience[] =>
  rows.filter(([, isSo]) => isSo(after) && !isSo(before)).map(([experience]) => experience)

const ofTask = (before: TaskRecord, after: TaskRecord): readonly Experience[] =>
  news<TaskRecord>(
    [
      ['a task that waited was started', ({ placedAt }) => placedAt !== undefined],
      ['a gang was started', ({ placedAt, queue }) => placedAt !== undefined && queue?.gang !== undefined],
      [
        'a task waited for too long',
        ({ queue, hostId, stopCode }) =>
          queue !== undefined && hostId === undefined && stopCode === 'TaskFailedToStart',
      ],
      ['a task ran', ({ lastStatus }) => lastStatus === 'RUNNING'],
      ['a task was given up', wasGivenUp],
      ['a task failed to start', ({ stopCode }) => stopCode === 'TaskFailedToStart'],
      ['a task was stopped by its user', ({ stopCode }) => stopCode === 'UserInitiated'],
      ['a task was moved', ({ move }) => move?.outcome === 'moved'],
      ['a task was stopped by its service', ({ stopCode }) => stopCode === 'ServiceSchedulerInitiated'],
    ],
    before,
    after,
  )

const ofHost = (before: HostRecord, after: HostRecord): readonly Experience[] => [
  ...news<HostRecord>(
    [
      ['a host was disconnected', ({ agentConnected }) => !agentConnected],
      ['a host was lost', ({ lost }) => lost],
      ['an engine was away', ({ engineHealthy }) => !engineHealthy],
    ],
    before,
    after,
  ),
  ...(before.lost && !after.lost ? (['a host came back after it was lost'] as const) : []),
]

const ofService = (before: ServiceRecord, after: ServiceRecord): readonly Experience[] => {
  const primary = ({ deployments }: ServiceRecord) => deployments.find(({ status }) => status === 'PRIMARY')
  return [
    ...(primary(before)?.rolloutState !== 'COMPLETED' && primary(after)?.rolloutState === 'COMPLETED'
      ? (['a deployment was completed'] as const)
      : []),
    ...(primary(before)?.id !== primary(after)?.id ? (['a deployment replaced another'] as const) : []),
  ]
}
