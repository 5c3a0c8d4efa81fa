import type {
  ContainerSpec,
  DockerVolume,
  EfsVolume,
  KeyValue,
  TaskAssignment,
  VolumeSpec,
} from '@berth/shared/gen/berth/agent/v1/agent.ts'
import type { VolumeCreate } from '../runtime/container-runtime.ts'
import type { EngineOptions } from './engine-deps.ts'
import { runtimeName } from './task-names.ts'

/** The volumes that must be there before a container is created. Host paths need none. */
export function volumesToMake(assignment: TaskAssignment, spec: ContainerSpec): VolumeSpec[] {
  const isMounted = ({ name }: VolumeSpec) => spec.mountPoints.some(({ sourceVolume }) => sourceVolume === name)
  return assignment.volumes.filter((volume) => isMounted(volume) && isMade(volume))
}

/** The names of the volumes that live as long as the task. */
export const taskVolumeNames = (assignment: TaskAssignment): string[] =>
  assignment.volumes.filter(livesWithTask).map((volume) => volumeName(assignment, volume))

/**
 * What the runtime is asked to make for a volume.
 *
 * @throws Error where the host knows no server of its file system.
 */
export function volumeCreate(
  assignment: TaskAssignment,
  volume: VolumeSpec,
  efsServerOf: EngineOptions['efsServerOf'],
): VolumeCreate {
  const docker = dockerVolume(volume)
  return {
    name: volumeName(assignment, volume),
    driver: docker?.driver || 'local',
    driverOptions:
      volume.source?.$case === 'efs' ? nfsMount(volume.source.value, efsServerOf) : record(docker?.driverOpts ?? []),
    labels: { ...record(docker?.labels ?? []), 'com.amazonaws.ecs.task-arn': assignment.taskArn },
  }
}

export const volumeName = (assignment: TaskAssignment, volume: VolumeSpec): string =>
  livesWithTask(volume) ? runtimeName(assignment, volume.name) : volume.name

/** As the EFS user guide recommends to mount its file systems ("Recommended NFS mount options"). */
const nfsOptions = 'nfsvers=4.1,rsize=1048576,wsize=1048576,hard,timeo=600,retrans=2,noresvport'

/** What Docker's own driver is told of a directory of an NFS server. The volume is a mount of it, and goes without its contents. */
function nfsMount(
  { fileSystemId, rootDirectory }: EfsVolume,
  efsServerOf: EngineOptions['efsServerOf'],
): Record<string, string> {
  const server = efsServerOf(fileSystemId)
  if (server === undefined) throw new Error(`BERTH_EFS_SERVERS of the host names no server of ${fileSystemId}`)
  const [address = '', exported = '/'] = server.split(':')
  const path = `${exported}/${rootDirectory}`.replaceAll(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '')
  return { type: 'nfs', o: `addr=${address},${nfsOptions}`, device: `:${path}` }
}

/** A fresh directory, a mount, or a Docker volume of scope `task`. */
const livesWithTask = (volume: VolumeSpec): boolean =>
  volume.source?.$case === 'docker'
    ? volume.source.value.scope !== 'shared'
    : volume.source?.$case === 'efs' || !volume.source?.value

/** A shared volume that is not to be provisioned must have been made by somebody else. */
const isMade = (volume: VolumeSpec): boolean => livesWithTask(volume) || (dockerVolume(volume)?.autoprovision ?? false)

const dockerVolume = (volume: VolumeSpec): DockerVolume | undefined =>
  volume.source?.$case === 'docker' ? volume.source.value : undefined

const record = (pairs: readonly KeyValue[]): Record<string, string> =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, value]))
