import { containersOf, type Invariant, isLeftover, taskIdOf } from './view.ts'

/** A task's containers are on one host only, and there is one of each name. */
export const oneContainerForEachName: Invariant = (view) => {
  const hostOf = new Map<string, string>()
  const seen = new Set<string>()
  for (const { hostId, wanted } of containersOf(view)) {
    const { taskArn, containerName } = wanted.identity
    const elsewhere = hostOf.get(taskArn)
    if (elsewhere !== undefined && elsewhere !== hostId) return `task ${taskArn} is on ${elsewhere} and on ${hostId}`
    hostOf.set(taskArn, hostId)
    const key = `${taskArn} ${containerName}`
    if (seen.has(key)) return `there are two containers ${containerName} of task ${taskArn}`
    seen.add(key)
  }
  return undefined
}

/** Nothing here has a restart policy, so that no container is started a second time. */
export const containersStartOnce: Invariant = (view) => {
  for (const { runs, wanted } of containersOf(view))
    if (runs > 1)
      return `container ${wanted.identity.containerName} of ${wanted.identity.taskArn} was started ${runs} times`
  return undefined
}

/** Hosts act on durable decisions only: whatever was created is of a task that the store has, or had. */
export const containersFollowDurableDecisions: Invariant = (view) => {
  for (const { wanted } of containersOf(view))
    if (!view.everStored.has(taskIdOf(wanted.identity.taskArn)))
      return `a container is of ${wanted.identity.taskArn}, which was never stored`
  return undefined
}

/** A task that its host reported as STOPPED has nothing that runs. */
export const stoppedTasksRunNothing: Invariant = (view) => {
  for (const container of containersOf(view)) {
    const { state, wanted } = container
    const task = view.records.tasks.get(taskIdOf(wanted.identity.taskArn))
    if (state === 'running' && task?.lastStatus === 'STOPPED' && !isLeftover(view, container))
      return `task ${task.id} is STOPPED and its container ${wanted.identity.containerName} runs`
  }
  return undefined
}

/** In the end: what runs is of a task that is to run. */
export const onlyLivingTasksRun: Invariant = (view) => {
  for (const { state, hostId, wanted } of containersOf(view)) {
    if (state !== 'running') continue
    const task = view.records.tasks.get(taskIdOf(wanted.identity.taskArn))
    if (!task) return `a container on ${hostId} runs for ${wanted.identity.taskArn}, which does not exist`
    if (task.lastStatus === 'STOPPED')
      return `task ${task.id} is STOPPED and ${wanted.identity.containerName} runs on ${hostId}`
  }
  return undefined
}

/** In the end: every task that is RUNNING has all its essential containers. */
export const runningTasksRun: Invariant = (view) => {
  const running = new Set<string>()
  for (const { state, wanted } of containersOf(view))
    if (state === 'running') running.add(`${taskIdOf(wanted.identity.taskArn)} ${wanted.identity.containerName}`)
  for (const task of view.records.tasks.values()) {
    if (task.lastStatus !== 'RUNNING') continue
    for (const { name, essential } of task.containers)
      if (essential && !running.has(`${task.id} ${name}`))
        return `task ${task.id} is RUNNING and its container ${name} is not`
  }
  return undefined
}

/** No host stops by itself what it was to run: a task that was given up has the reason for that, and keeps it. */
export const hostsStopOnlyWhatTheyAreTold: Invariant = ({ records }) => {
  for (const { id, stoppedReason } of records.tasks.values())
    if (stoppedReason === 'The cluster does not know this task.') return `task ${id} was stopped by its host alone`
  return undefined
}

/** In the end: hosts have forgotten the tasks that ended, and have removed all that was of them. */
export const hostsForgetTheEnded: Invariant = (view) => {
  const hasEnded = (taskArn: string) => view.records.tasks.get(taskIdOf(taskArn))?.lastStatus === 'STOPPED'
  for (const { name, agent } of view.hosts)
    for (const { assignment } of agent?.engine.tasks() ?? [])
      if (hasEnded(assignment.taskArn)) return `${name} still holds the ended task ${assignment.taskArn}`
  for (const { hostId, wanted } of containersOf(view))
    if (hasEnded(wanted.identity.taskArn)) return `${hostId} still has a container of ${wanted.identity.taskArn}`
  return undefined
}
