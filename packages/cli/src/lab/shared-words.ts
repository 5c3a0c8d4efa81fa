import type { SessionTransport } from '@berth/agent/session/session-transport.ts'
import type { ContainerSpec, TaskAssignment } from '@berth/shared/gen/berth/agent/v1/agent.ts'

/**
 * A transport whose assignments have in common what they say alike: a process that plays thousands of hosts is told the name of the same
 * definition a hundred thousand times, and of each task what it has none of. On a real host it is not worth the look.
 */
export const withSharedWords = (inner: SessionTransport): SessionTransport => ({
  connect: (address, onMessage, onClose) =>
    inner.connect(
      address,
      (control) => {
        if (control.message?.$case === 'assignments') control.message.value.put.forEach(shareWords)
        onMessage(control)
      },
      onClose,
    ),
})

const words = new Map<string, string>()

function shared(word: string): string {
  const known = words.get(word)
  if (known !== undefined) return known
  words.set(word, word)
  return word
}

/** What is the same in all tasks of a definition. */
function shareWords(task: TaskAssignment): void {
  task.clusterArn = shared(task.clusterArn)
  task.family = shared(task.family)
  task.launchType = shared(task.launchType)
  task.group = shared(task.group)
  task.serviceName = shared(task.serviceName)
  task.taskDefinitionArn = shared(task.taskDefinitionArn)
  shareNone(task)
  task.containers.forEach(shareWordsOfContainer)
}

function shareWordsOfContainer(container: ContainerSpec): void {
  container.name = shared(container.name)
  container.image = shared(container.image)
  for (const label of container.dockerLabels) {
    label.key = shared(label.key)
    label.value = shared(label.value)
  }
  shareNone(container)
}

const none: readonly never[] = Object.freeze([])

/** Lists that are empty: a container has sixteen. */
function shareNone(message: TaskAssignment | ContainerSpec): void {
  const members = message as unknown as Record<string, unknown>
  for (const name in members) {
    const value = members[name]
    if (Array.isArray(value) && value.length === 0) members[name] = none
  }
}
