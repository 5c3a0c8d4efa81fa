import type Docker from 'dockerode'
import type { ContainerSnapshot, HealthStatus, PortPublication } from '../container-runtime.ts'
import { containerNameLabel, runtimeNameLabel, taskArnLabel } from './container-labels.ts'

const states: Readonly<Record<string, ContainerSnapshot['state']>> = {
  created: 'created',
  running: 'running',
  paused: 'running',
  restarting: 'running',
  removing: 'exited',
  exited: 'exited',
  dead: 'exited',
}

const healths: Readonly<Record<string, HealthStatus>> = { healthy: 'HEALTHY', unhealthy: 'UNHEALTHY' }

/** ECS's word for Docker's, which says `starting` and `none` for what is not known. */
export const healthStatus = (docker: string | undefined): HealthStatus => healths[docker ?? ''] ?? 'UNKNOWN'

/** A container as the task engine sees it, from Docker's answer to inspect. */
export function containerSnapshot(found: Docker.ContainerInspectInfo): ContainerSnapshot {
  const labels = found.Config.Labels ?? {}
  const state = states[found.State.Status] ?? 'exited'
  const startedAt = moment(found.State.StartedAt)
  const finishedAt = notBefore(startedAt, moment(found.State.FinishedAt))
  const endpoint = Object.values(found.NetworkSettings.Networks ?? {}).find((each) => each.IPAddress !== '')
  return {
    runtimeId: found.Id,
    taskArn: labels[taskArnLabel] ?? '',
    containerName: labels[containerNameLabel] ?? '',
    runtimeName: labels[runtimeNameLabel] ?? found.Name.replace(/^\//, ''),
    state,
    ...(state === 'exited' ? { exitCode: found.State.ExitCode } : {}),
    oomKilled: found.State.OOMKilled,
    error: found.State.Error,
    health: healthStatus(found.State.Health?.Status),
    ...(state === 'created' || startedAt === undefined ? {} : { startedAt }),
    ...(state !== 'exited' || finishedAt === undefined ? {} : { finishedAt }),
    imageId: found.Image,
    ports: publications(found.NetworkSettings.Ports),
    ...(endpoint === undefined ? {} : { address: endpoint.IPAddress, macAddress: endpoint.MacAddress }),
    restartCount: found.RestartCount,
  }
}

/** Docker notes the start of a container after the fact: one that ends at once may be said to have ended a moment before it. */
const notBefore = (startedAt: number | undefined, finishedAt: number | undefined): number | undefined =>
  startedAt === undefined || finishedAt === undefined ? finishedAt : Math.max(startedAt, finishedAt)

/** ms since the epoch; Docker's year 1 stands for never. */
function moment(text: string): number | undefined {
  const ms = Date.parse(text)
  return ms > 0 ? ms : undefined
}

type PublishedPorts = Readonly<Record<string, readonly { HostIp: string; HostPort: string }[] | null>>

function publications(published: PublishedPorts | undefined): readonly PortPublication[] {
  return Object.entries(published ?? {}).flatMap(([key, bindings]) => {
    const [port = '', protocol] = key.split('/')
    return (bindings ?? []).map((binding) => ({
      hostIp: binding.HostIp,
      hostPort: Number(binding.HostPort),
      containerPort: Number(port),
      protocol: protocol === 'udp' ? ('udp' as const) : ('tcp' as const),
    }))
  })
}
