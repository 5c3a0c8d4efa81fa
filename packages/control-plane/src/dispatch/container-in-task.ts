import type { TaskDefinitionRecord, TaskRecord } from '../cell/records.ts'
import type { ContainerInTask } from '../task-resources/container-resources.ts'

/** What a task's container is by definition and override; `undefined` where the definition has none of this name. */
export function containerInTask(
  task: TaskRecord,
  { definition }: TaskDefinitionRecord,
  name: string,
): ContainerInTask | undefined {
  const declared = definition.containerDefinitions?.find((container) => container.name === name)
  const override = task.overrides.containerOverrides?.find((each) => each.name === name)
  return declared && { declared, override }
}
