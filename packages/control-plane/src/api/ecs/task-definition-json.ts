import type { TaskDefinition } from '@aws-sdk/client-ecs'
import type { TaskDefinitionRecord } from '../../cell/records.ts'

/** A task definition as ECS answers it; its tags stand beside it, and only where they were asked for. */
export function taskDefinitionAnswer(record: TaskDefinitionRecord): TaskDefinition {
  const { arn, revision, status, definition, registeredAt, deregisteredAt, deleteRequestedAt } = record
  return {
    taskDefinitionArn: arn,
    ...definition,
    revision,
    status,
    registeredAt: new Date(registeredAt),
    ...(deregisteredAt === undefined ? {} : { deregisteredAt: new Date(deregisteredAt) }),
    ...(deleteRequestedAt === undefined ? {} : { deleteRequestedAt: new Date(deleteRequestedAt) }),
    registeredBy: record.registeredBy,
  }
}
