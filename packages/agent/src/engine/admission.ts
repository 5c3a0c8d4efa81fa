import { NetworkMode, type TaskAssignment } from '@berth/shared/gen/berth/agent/v1/agent.ts'

/** Whether a task can begin on this host. */
export type Admission =
  | { readonly kind: 'admitted' }
  /** A port that it needs is still held by a task that is on its way out. */
  | { readonly kind: 'waits' }
  | { readonly kind: 'refused'; readonly reason: string }

/** What the operator has decided. */
export interface HostRules {
  readonly allowsPrivileged: boolean
}

/** A task that holds its ports, since it began and has not stopped. */
export interface PortHolder {
  readonly assignment: TaskAssignment
  readonly isStopping: boolean
}

/**
 * Holds a task against the host's rules, and the ports that it needs against those of the tasks that are on the host. The cell has
 * done so before; this is for what it cannot have known, as when its memory went back in time.
 */
export function admit(assignment: TaskAssignment, holders: Iterable<PortHolder>, rules: HostRules): Admission {
  const privileged = rules.allowsPrivileged ? undefined : assignment.containers.find((each) => each.privileged)
  if (privileged)
    return { kind: 'refused', reason: `Container ${privileged.name} is privileged, which this host does not allow` }
  const wanted = hostPorts(assignment)
  if (wanted.length === 0) return { kind: 'admitted' }
  let waits = false
  for (const holder of holders) {
    const taken = new Set(hostPorts(holder.assignment))
    const conflict = wanted.find((port) => taken.has(port))
    if (conflict === undefined) continue
    if (!holder.isStopping)
      return { kind: 'refused', reason: `Host port ${conflict} is already in use by task ${holder.assignment.taskArn}` }
    waits = true
  }
  return { kind: waits ? 'waits' : 'admitted' }
}

/** `8080/tcp`: the ports of the host that a task binds. A task with a network of its own binds none. */
function hostPorts(assignment: TaskAssignment): string[] {
  if (assignment.networkMode === NetworkMode.NETWORK_MODE_AWSVPC) return []
  if (assignment.containers.every(({ ports }) => ports.length === 0)) return []
  return assignment.containers.flatMap((container) =>
    container.ports
      .filter((port) => port.hostPort > 0)
      .map((port) => `${port.hostPort}/${port.protocol === 'udp' ? 'udp' : 'tcp'}`),
  )
}
