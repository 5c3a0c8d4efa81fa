import {
  type AccountSettingRecord,
  type CellRecords,
  type ClientTokenRecord,
  type ClusterRecord,
  type FamilyRecord,
  type HostRecord,
  type ServiceEventRecord,
  type ServiceDeploymentRecord,
  type ServiceRecord,
  type ServiceRevisionRecord,
  serviceKey,
  type TableName,
  type TaskDefinitionRecord,
  type TaskRecord,
  type TaskSetRecord,
} from './records.ts'
import { Table } from './table.ts'

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
    tasks: new Table<TaskRecord, 'cluster' | 'host' | 'service' | 'serviceUnsettled' | 'taskDefinition'>({
      cluster: (task) => task.cluster,
      host: (task) => task.hostId,
      service: serviceKeyOf,
      /** Those that the service still has to do with: all but the ended ones that it took note of. */
      serviceUnsettled: (task) => (task.lastStatus === 'STOPPED' && task.endNoticed ? undefined : serviceKeyOf(task)),
      taskDefinition: (task) => (task.lastStatus === 'STOPPED' ? undefined : task.taskDefinitionArn),
    }),
    hosts: new Table<HostRecord, 'cluster' | 'agentHostId'>({
      cluster: (host) => host.cluster,
      agentHostId: (host) => host.agentHostId,
    }),
    services: new Table<ServiceRecord, 'cluster' | 'taskDefinition'>({
      cluster: (service) => service.cluster,
      taskDefinition: (service) => (service.status === 'INACTIVE' ? undefined : service.taskDefinitionArn),
    }),
    taskSets: new Table<TaskSetRecord, 'service'>({ service: (taskSet) => taskSet.service }),
    serviceRevisions: new Table<ServiceRevisionRecord, 'service'>({ service: (revision) => revision.service }),
    serviceDeployments: new Table<ServiceDeploymentRecord, 'service'>({ service: (deployment) => deployment.service }),
    serviceEvents: new Table<ServiceEventRecord, 'service'>({ service: (event) => event.service }),
    accountSettings: new Table<AccountSettingRecord, 'principal'>({ principal: (setting) => setting.principalArn }),
    clientTokens: new Table<ClientTokenRecord, never>({}),
  }
}

const serviceKeyOf = (task: TaskRecord): string | undefined =>
  task.serviceName === undefined ? undefined : serviceKey(task.cluster, task.serviceName)

export type Tables = ReturnType<typeof createTables>

/** The tables as anybody but a transaction may use them. */
export type ReadonlyTables = { readonly [K in TableName]: Omit<Tables[K], 'set'> }
