import type { TaskProtection, TaskProtectionChange } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import type { HostQuestions } from './host-questions.ts'

/**
 * Asks the control plane how a task is protected, or sets it before.
 *
 * @throws Error with the control plane's words; the signal's reason.
 */
export async function askProtection(
  questions: HostQuestions,
  taskArn: string,
  change: TaskProtectionChange | undefined,
  signal: AbortSignal,
): Promise<TaskProtection> {
  const answer = await questions.ask({ $case: 'taskProtection', value: { taskArn, change } }, signal)
  if (answer.$case === 'taskProtection') return answer.value
  throw new Error(answer.$case === 'error' ? answer.value : 'the control plane gave another answer')
}
