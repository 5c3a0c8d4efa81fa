import type { TaskSet } from '@aws-sdk/client-ecs'
import { type ArnScope, clusterArn } from '@berth/shared/arn.ts'
import { serviceKey, type ServiceRecord, type TaskSetRecord } from '../../cell/records.ts'
import type { ReadonlyTables } from '../../cell/tables.ts'
import { countTasks } from '../../cell/task-health.ts'
import { computedDesiredCount } from '../../cell/task-sets.ts'
import { tagListOf } from './tag-set.ts'

/** A task set as ECS answers it, its tasks counted now. Tags are shown where they were asked for, else the list is empty. */
export function taskSetAnswer(
  scope: ArnScope,
  tables: ReadonlyTables,
  service: ServiceRecord,
  set: TaskSetRecord,
  { includeTags }: { readonly includeTags: boolean },
): TaskSet {
  const tasks = [...tables.tasks.by('serviceUnsettled', serviceKey(service.cluster, service.name))]
  const { running, pending } = countTasks(tasks.filter(({ deploymentId }) => deploymentId === set.id))
  const wanted = computedDesiredCount(service, set)
  return {
    id: set.id,
    taskSetArn: set.arn,
    serviceArn: service.arn,
    clusterArn: clusterArn(scope, service.cluster),
    externalId: set.externalId,
    status: set.status,
    taskDefinition: set.taskDefinitionArn,
    computedDesiredCount: wanted,
    pendingCount: pending,
    runningCount: running,
    createdAt: new Date(set.createdAt),
    updatedAt: new Date(set.updatedAt),
    ...(set.capacityProviderStrategy.length > 0
      ? { capacityProviderStrategy: [...set.capacityProviderStrategy] }
      : { launchType: set.launchType }),
    ...(set.platformVersion !== undefined && { platformVersion: set.platformVersion, platformFamily: 'Linux' }),
    networkConfiguration: set.networkConfiguration,
    loadBalancers: [],
    serviceRegistries: [],
    scale: { value: set.scalePercent, unit: 'PERCENT' },
    // What was found stable may have lost a task since, which the counts say first.
    stabilityStatus: set.stable && running === wanted && pending === 0 ? 'STEADY_STATE' : 'STABILIZING',
    stabilityStatusAt: new Date(set.stabilityAt),
    tags: includeTags ? tagListOf(set.tags) : [],
  }
}
