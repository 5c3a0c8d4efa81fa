import { parseArn } from '@berth/shared/arn.ts'
import type { TaskAssignment } from '@berth/shared/gen/berth/agent/v1/agent.ts'

/** The last part of the task's ARN. */
export const taskId = (assignment: TaskAssignment): string =>
  parseArn(assignment.taskArn)?.path.at(-1) ?? assignment.taskArn

/** The name that a container, or a volume that lives with the task, has on the engine. */
export const runtimeName = (assignment: TaskAssignment, containerName: string): string =>
  `ecs-${assignment.family}-${assignment.revision}-${taskId(assignment)}-${containerName}`
