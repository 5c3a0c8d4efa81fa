import type { Failure, Service } from '@aws-sdk/client-ecs'
import { serviceArn } from '@berth/shared/arn.ts'
import type { Transaction } from '../../cell/cell.ts'
import { serviceKey, type ServiceRecord } from '../../cell/records.ts'
import { scaleService } from '../../cell/service-changes.ts'
import type { ReadonlyTables } from '../../cell/tables.ts'
import type { ControlPlaneDeps } from '../../control-plane-deps.ts'
import { invalidParameter, serviceNotFound } from '../errors.ts'
import type { EcsHandlers, EcsInput, EcsOutput } from '../operation.ts'
import { takePage } from '../paging.ts'
import { resolveCluster, resolveService, serviceNameOf } from './arn-references.ts'
import { createService } from './create-service.ts'
import { serviceAnswer } from './service-json.ts'
import { updateService } from './update-service.ts'

/** ECS's own limit of services that one DescribeServices may name. */
const servicesPerDescribe = 10

/** Services: how many tasks of what are to run. Their controller starts and stops the tasks. */
export function serviceHandlers(
  deps: ControlPlaneDeps,
): Pick<EcsHandlers, 'CreateService' | 'UpdateService' | 'DescribeServices' | 'ListServices' | 'DeleteService'> {
  const { scope } = deps
  return {
    CreateService: async (input, context) => deps.cell().transact((tx) => createService(tx, deps, input, context)),

    UpdateService: async (input) => deps.cell().transact((tx) => updateService(tx, deps, input)),

    DescribeServices: async (input) => {
      if (input.services.length === 0) throw invalidParameter('Services cannot be empty.')
      if (input.services.length > servicesPerDescribe)
        throw invalidParameter(`Services cannot have more than ${servicesPerDescribe} elements.`)
      const includeTags = input.include?.includes('TAGS') ?? false
      return deps.cell().read((tables) => {
        const { name: cluster } = resolveCluster(tables, scope, input.cluster)
        const services: Service[] = []
        const failures: Failure[] = []
        for (const name of new Set(input.services.map((nameOrArn) => serviceNameOf(scope, cluster, nameOrArn)))) {
          const service = tables.services.get(serviceKey(cluster, name))
          if (service === undefined) failures.push({ arn: serviceArn(scope, cluster, name), reason: 'MISSING' })
          else services.push(serviceAnswer(scope, tables, service, { includeTags }))
        }
        return { services, failures }
      })
    },

    ListServices: async (input) =>
      deps.cell().read((tables) => listServices(tables, resolveCluster(tables, scope, input.cluster).name, input)),

    DeleteService: async (input) => deps.cell().transact((tx) => deleteService(tx, deps, input)),
  }
}

/** Services that are being deleted are listed no more. */
function listServices(
  tables: ReadonlyTables,
  cluster: string,
  input: EcsInput<'ListServices'>,
): EcsOutput<'ListServices'> {
  const { launchType, schedulingStrategy, resourceManagementType } = input
  const matches = (service: ServiceRecord): boolean =>
    service.status === 'ACTIVE' &&
    (launchType === undefined || service.launchType === launchType) &&
    (schedulingStrategy === undefined || service.schedulingStrategy === schedulingStrategy) &&
    (resourceManagementType === undefined || resourceManagementType === 'CUSTOMER')
  const arns = [...tables.services.by('cluster', cluster)]
    .filter(matches)
    .map(({ arn }) => arn)
    .sort()
  const { items, nextToken } = takePage('ListServices', input, arns, (arn) => arn)
  return { serviceArns: items, ...(nextToken !== undefined && { nextToken }) }
}

/** A service that is deleted drains: its controller stops the tasks, and it is INACTIVE when they are gone. */
function deleteService(
  tx: Transaction,
  deps: ControlPlaneDeps,
  input: EcsInput<'DeleteService'>,
): EcsOutput<'DeleteService'> {
  const cluster = resolveCluster(tx.tables, deps.scope, input.cluster)
  const service = resolveService(tx.tables, deps.scope, cluster.name, input.service)
  if (service.status === 'INACTIVE') throw serviceNotFound()
  if (service.schedulingStrategy === 'REPLICA' && service.desiredCount > 0 && input.force !== true)
    throw invalidParameter('The service cannot be stopped while it is scaled above 0.')
  const draining: ServiceRecord =
    service.status === 'DRAINING' ? service : { ...scaleService(service, 0, deps.clock.now()), status: 'DRAINING' }
  tx.put('services', serviceKey(cluster.name, service.name), draining)
  return { service: serviceAnswer(deps.scope, tx.tables, draining, { includeTags: true }) }
}
