import {
  type AccessKeyRecord,
  type AccountSettingRecord,
  type CellRecords,
  type ClientTokenRecord,
  type ClusterRecord,
  type EnrolmentRecord,
  type FamilyRecord,
  type HostRecord,
  holdsClaim,
  type JoinTokenRecord,
  type ServiceEventRecord,
  type ServiceDeploymentRecord,
  type ServiceRecord,
  type ServiceRevisionRecord,
  serviceKey,
  type StoreReturnRecord,
  type TableName,
  type TaskDefinitionRecord,
  type TaskRecord,
  type TaskSetRecord,
} from './records.ts'
import { Table } from './table.ts'
import { taskPhase } from './task-health.ts'

/** One change of one record, as those who watch the cell see it. */
export type Change = {
  [K in TableName]: {
    readonly table: K
    readonly key: string
    readonly before: CellRecords[K] | undefined
    readonly after: CellRecords[K] | undefined
  }
}[TableName]

/** All tables of a cell, with their indexes. */
export function createTables() {
  return {
    clusters: new Table<ClusterRecord, never>({}),
    families: new Table<FamilyRecord, never>({}),
    taskDefinitions: new Table<TaskDefinitionRecord, 'family'>({ family: (definition) => definition.family }),
    tasks: new Table<
      TaskRecord,
      'cluster' | 'host' | 'everOnHost' | 'service' | 'serviceUnsettled' | 'serviceMoves' | 'taskDefinition',
      'state'
    >(
      {
        cluster: (task) => task.cluster,
        /** Those that have something of a host: all on it but the ended ones. */
        host: (task) => (holdsClaim(task) ? task.hostId : undefined),
        everOnHost: (task) => task.hostId,
        service: serviceKeyOf,
        /** Those that the service still has to do with: all but the ended ones that it took note of. */
        serviceUnsettled: (task) => (task.lastStatus === 'STOPPED' && task.endNoticed ? undefined : serviceKeyOf(task)),
        /** The new tasks of moves that are under way, or whose end nobody has noted. */
        serviceMoves: (task) =>
          task.move !== undefined && task.move.outcome === undefined ? serviceKeyOf(task) : undefined,
        taskDefinition: (task) => (task.lastStatus === 'STOPPED' ? undefined : task.taskDefinitionArn),
      },
      { state: taskStateOf },
    ),
    hosts: new Table<HostRecord, 'cluster' | 'agentHostId', 'registered'>(
      {
        cluster: (host) => host.cluster,
        agentHostId: (host) => host.agentHostId,
      },
      { registered: (host) => (host.status === 'ACTIVE' || host.status === 'DRAINING' ? host.cluster : undefined) },
    ),
    services: new Table<ServiceRecord, 'cluster' | 'taskDefinition', 'state'>(
      {
        cluster: (service) => service.cluster,
        taskDefinition: (service) => (service.status === 'INACTIVE' ? undefined : service.taskDefinitionArn),
      },
      { state: serviceStateOf },
    ),
    taskSets: new Table<TaskSetRecord, 'service'>({ service: (taskSet) => taskSet.service }),
    serviceRevisions: new Table<ServiceRevisionRecord, 'service'>({ service: (revision) => revision.service }),
    serviceDeployments: new Table<ServiceDeploymentRecord, 'service'>({ service: (deployment) => deployment.service }),
    serviceEvents: new Table<ServiceEventRecord, 'service'>({ service: (event) => event.service }),
    accountSettings: new Table<AccountSettingRecord, 'principal'>({ principal: (setting) => setting.principalArn }),
    storeReturns: new Table<StoreReturnRecord, never>({}),
    clientTokens: new Table<ClientTokenRecord, never>({}),
    joinTokens: new Table<JoinTokenRecord, never>({}),
    enrolments: new Table<EnrolmentRecord, never>({}),
    accessKeys: new Table<AccessKeyRecord, never>({}),
  }
}

const serviceKeyOf = (task: TaskRecord): string | undefined =>
  task.serviceName === undefined ? undefined : serviceKey(task.cluster, task.serviceName)

type LaunchType = TaskRecord['launchType']

/** What DescribeClusters counts tasks by: tasks that have been asked for and do not run yet are all pending to ECS. */
export const taskState = (cluster: string, launchType: LaunchType, phase: 'pending' | 'running'): string =>
  `${cluster} ${launchType} ${phase}`

function taskStateOf(task: TaskRecord): string | undefined {
  const phase = taskPhase(task)
  return phase === 'pending' || phase === 'running' ? taskState(task.cluster, task.launchType, phase) : undefined
}

/** What DescribeClusters counts services by. */
export const serviceState = (cluster: string, launchType: LaunchType, status: ServiceRecord['status']): string =>
  `${cluster} ${launchType} ${status}`

/** A service without a launch type has a capacity provider strategy, and here those are FARGATE's. */
function serviceStateOf({ cluster, launchType, capacityProviderStrategy, status }: ServiceRecord): string {
  return serviceState(cluster, launchType ?? (capacityProviderStrategy.length > 0 ? 'FARGATE' : 'EC2'), status)
}

export type Tables = ReturnType<typeof createTables>

/** The tables as anybody but a transaction may use them. */
export type ReadonlyTables = { readonly [K in TableName]: Omit<Tables[K], 'set'> }
