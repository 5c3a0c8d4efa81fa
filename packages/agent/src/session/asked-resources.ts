import { type ContainerResources, ResourceError, type ResourceSource } from '../engine/container-resources.ts'
import type { HostQuestions } from './host-questions.ts'

/** What containers need, asked of the control plane. */
export const askedResources = (questions: HostQuestions): ResourceSource => ({
  async resourcesOf(taskArn, containerName, signal): Promise<ContainerResources> {
    const answer = await questions.ask({ $case: 'containerResources', value: { taskArn, containerName } }, signal)
    if (answer.$case === 'containerResources') return answer.value
    throw new ResourceError(answer.$case === 'error' ? answer.value : 'the control plane gave another answer')
  },
})
