/**
 * The life of a task, as ECS tells it (ECS developer guide, "Amazon ECS task lifecycle"). Ranks stand 64 apart, so that a
 * status can be added between two others without renumbering the wire (after SwarmKit's task model).
 */
export const taskStatusRank = {
  PROVISIONING: 64,
  PENDING: 128,
  ACTIVATING: 192,
  RUNNING: 256,
  DEACTIVATING: 320,
  STOPPING: 384,
  DEPROVISIONING: 448,
  STOPPED: 512,
  DELETED: 576,
} as const

export type TaskStatus = keyof typeof taskStatusRank

/** What the control plane wants of a task. */
export type DesiredTaskStatus = 'RUNNING' | 'STOPPED'

/** The life of a container. ECS shows PENDING until it runs. */
export const containerStatusRank = {
  PENDING: 64,
  PULLED: 128,
  CREATED: 192,
  RUNNING: 256,
  STOPPED: 320,
} as const

export type ContainerStatus = keyof typeof containerStatusRank

/** Who may write a status: the control plane decides and gives up, the agent reports what it did. */
export type StatusOwner = 'control-plane' | 'agent'

/**
 * Who owns each step: the control plane writes everything before the host has the task, and the end of tasks whose host is
 * gone or that never had one; the agent writes what follows.
 */
export const statusOwners: Readonly<Record<TaskStatus, readonly StatusOwner[]>> = {
  PROVISIONING: ['control-plane'],
  PENDING: ['control-plane'],
  ACTIVATING: ['agent'],
  RUNNING: ['agent'],
  DEACTIVATING: ['agent'],
  STOPPING: ['agent'],
  DEPROVISIONING: ['agent'],
  STOPPED: ['agent', 'control-plane'],
  DELETED: ['control-plane'],
}

/** Whether a task may go from one status to another: only forward, never standing still. */
export const isForward = (from: TaskStatus, to: TaskStatus): boolean => taskStatusRank[to] > taskStatusRank[from]

/** Whether `owner` may move a task from one status to another. */
export const mayMove = (owner: StatusOwner, from: TaskStatus, to: TaskStatus): boolean =>
  isForward(from, to) && statusOwners[to].includes(owner)

const byTaskRank = new Map<number, TaskStatus>(
  Object.entries(taskStatusRank).map(([status, rank]) => [rank, status as TaskStatus]),
)
const byContainerRank = new Map<number, ContainerStatus>(
  Object.entries(containerStatusRank).map(([status, rank]) => [rank, status as ContainerStatus]),
)

/** The task status of a rank on the wire; `undefined` for one that this version does not know. */
export const taskStatusOfRank = (rank: number): TaskStatus | undefined => byTaskRank.get(rank)

/** The container status of a rank on the wire; `undefined` for one that this version does not know. */
export const containerStatusOfRank = (rank: number): ContainerStatus | undefined => byContainerRank.get(rank)
