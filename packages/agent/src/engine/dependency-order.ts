import type { ContainerDependency } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { containerStatusRank, type ContainerStatus } from '@berth/shared/task-status.ts'
import type { ContainerState, TaskState } from './task-state.ts'

/** Whether a container may go on. */
export type Gate =
  | { readonly kind: 'open' }
  /** `until`: when the wait ends in failure, in ms since the epoch, if nothing else happens. */
  | { readonly kind: 'closed'; readonly until?: number }
  /** It never may. */
  | { readonly kind: 'failed'; readonly reason: string }

const open: Gate = { kind: 'open' }
const closed: Gate = { kind: 'closed' }

/** Whether a container can be created: what it names when it is created must be there. */
export function createGate(container: ContainerState, task: TaskState): Gate {
  if (namesNobody(container, task)) return open
  const named = [...linkedNames(container), ...volumeSourceNames(container), ...pauseNames(container, task)]
  return all(named.map((name) => reached(find(task, name), name, 'CREATED')))
}

/**
 * Whether a container can be started: its task's network must be up, what it links to must run, and its `dependsOn` must
 * hold. `now` in ms since the epoch.
 */
export function startGate(container: ContainerState, task: TaskState, now: number): Gate {
  if (container.spec.dependsOn.length === 0 && namesNobody(container, task)) return open
  return all([
    createGate(container, task),
    ...pauseNames(container, task).map((name) => condition('START', name, find(task, name), now)),
    ...linkedNames(container).map((name) => condition('START', name, find(task, name), now)),
    ...container.spec.dependsOn.map((dependency) => dependencyGate(dependency, task, now)),
  ])
}

/** Whether a container can be stopped: all that depend on it, whatever the condition, must have stopped before it. */
export function stopGate(container: ContainerState, task: TaskState): Gate {
  const dependents = task.containers.filter((other) => dependsOn(other, container, task))
  return dependents.every((other) => other.status === 'STOPPED' && !other.alive) ? open : closed
}

function dependsOn(container: ContainerState, on: ContainerState, task: TaskState): boolean {
  return (
    linkedNames(container).includes(on.name) ||
    volumeSourceNames(container).includes(on.name) ||
    pauseNames(container, task).includes(on.name) ||
    container.spec.dependsOn.some((dependency) => dependency.containerName === on.name)
  )
}

const dependencyGate = (dependency: ContainerDependency, task: TaskState, now: number): Gate =>
  condition(dependency.condition, dependency.containerName, find(task, dependency.containerName), now)

/** What a condition says of the container that it is about. */
const conditions: Readonly<Record<string, (on: ContainerState) => 'holds' | 'waits' | 'fails'>> = {
  START: (on) => (on.launched ? 'holds' : on.status === 'STOPPED' ? 'fails' : 'waits'),
  COMPLETE: (on) => (on.status !== 'STOPPED' ? 'waits' : on.launched ? 'holds' : 'fails'),
  SUCCESS: (on) => (on.status !== 'STOPPED' ? 'waits' : on.exitCode === 0 ? 'holds' : 'fails'),
  HEALTHY: (on) => (on.status === 'STOPPED' ? 'fails' : on.health === 'HEALTHY' ? 'holds' : 'waits'),
}

function condition(name: string, onName: string, on: ContainerState | undefined, now: number): Gate {
  const test = conditions[name]
  if (!on || !test) return { kind: 'failed', reason: `DependencyError: container ${onName} cannot become ${name}` }
  const verdict = test(on)
  if (verdict === 'holds') return open
  if (verdict === 'fails') return { kind: 'failed', reason: failureOf(on, name) }
  // As ECS: the start timeout is the dependency's own, counts from its start, and not for START.
  const timeoutMs = on.spec.startTimeoutS * 1000
  if (name === 'START' || timeoutMs === 0 || on.startedAt === 0) return closed
  const until = on.startedAt + timeoutMs
  if (now < until) return { kind: 'closed', until }
  return {
    kind: 'failed',
    reason: `DependencyError: container ${onName} did not become ${name} within ${on.spec.startTimeoutS} s`,
  }
}

function failureOf(on: ContainerState, name: string): string {
  const how = on.exitCode === undefined ? 'stopped' : `exited with code ${on.exitCode}`
  return `DependencyError: container ${on.name} ${how} and cannot become ${name}`
}

function reached(on: ContainerState | undefined, name: string, status: ContainerStatus): Gate {
  if (!on) return { kind: 'failed', reason: `DependencyError: there is no container ${name}` }
  if (on.runtimeId !== '' && containerStatusRank[on.status] >= containerStatusRank[status]) return open
  if (on.status === 'STOPPED')
    return { kind: 'failed', reason: `DependencyError: container ${name} could not be created` }
  return closed
}

/** Failure before waiting before open; of several waits the one that ends first. */
function all(gates: readonly Gate[]): Gate {
  let until: number | undefined
  let isOpen = true
  for (const gate of gates) {
    if (gate.kind === 'failed') return gate
    if (gate.kind === 'open') continue
    isOpen = false
    if (gate.until !== undefined) until = Math.min(until ?? gate.until, gate.until)
  }
  if (isOpen) return open
  return until === undefined ? closed : { kind: 'closed', until }
}

const find = (task: TaskState, name: string): ContainerState | undefined =>
  task.containers.find((container) => container.name === name)

/** As most containers: nothing has to be there for it to be created. */
const namesNobody = (container: ContainerState, task: TaskState): boolean =>
  container.spec.links.length === 0 &&
  container.spec.volumesFrom.length === 0 &&
  (container.isPause || !task.containers.some((other) => other.isPause))

/** `name:alias` or `name`. */
const linkedNames = (container: ContainerState): string[] =>
  container.spec.links.map((link) => link.split(':', 1)[0] ?? link)

const volumeSourceNames = (container: ContainerState): string[] =>
  container.spec.volumesFrom.map((from) => from.sourceContainer)

/** Every container of a task that has a pause container needs it. */
const pauseNames = (container: ContainerState, task: TaskState): string[] =>
  container.isPause ? [] : task.containers.filter((other) => other.isPause).map((other) => other.name)
