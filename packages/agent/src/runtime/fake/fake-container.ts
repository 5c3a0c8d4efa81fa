import type { CancelTimer } from '@berth/shared/clock.ts'
import type { ContainerCreate, ContainerSnapshot, HealthStatus } from '../container-runtime.ts'
import type { FakeProgram } from './fake-script.ts'

/** What is played of a container, and what it takes of its machine. The rest of what it was made with would be most of what a host keeps. */
export type PlayedContainer = Pick<
  ContainerCreate,
  'identity' | 'ports' | 'network' | 'healthCheck' | 'cpuShares' | 'memoryMib' | 'memoryReservationMib'
>

/** A container of a fake world. */
export interface FakeContainer {
  readonly runtimeId: string
  readonly hostId: string
  readonly wanted: PlayedContainer
  readonly program: FakeProgram
  readonly imageId: string
  state: 'created' | 'running' | 'exited'
  exitCode: number | undefined
  oomKilled: boolean
  error: string
  health: HealthStatus
  startedAt: number | undefined
  finishedAt: number | undefined
  address: string | undefined
  /** How often it went from not running to running: more than a world's owner may want to see. */
  runs: number
  /** The start that is under way. */
  starting: Promise<void> | undefined
  /** What would happen to it next. */
  timers: Set<CancelTimer> | undefined
  onExit: Set<() => void> | undefined
}

/** The container as the runtime shows it. */
export function snapshotOf(container: FakeContainer): ContainerSnapshot {
  const { wanted, address } = container
  return {
    runtimeId: container.runtimeId,
    taskArn: wanted.identity.taskArn,
    containerName: wanted.identity.containerName,
    runtimeName: wanted.identity.runtimeName,
    state: container.state,
    oomKilled: container.oomKilled,
    error: container.error,
    health: container.health,
    imageId: container.imageId,
    ports: container.state === 'running' ? wanted.ports : [],
    restartCount: 0,
    ...(container.exitCode !== undefined && { exitCode: container.exitCode }),
    ...(container.startedAt !== undefined && { startedAt: container.startedAt }),
    ...(container.finishedAt !== undefined && { finishedAt: container.finishedAt }),
    ...(address !== undefined && { address, macAddress: macAddressOf(address) }),
  }
}

/** As Docker makes them: 02:42 and the four bytes of the address. */
const macAddressOf = (address: string): string =>
  ['02', '42', ...address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'))].join(':')
