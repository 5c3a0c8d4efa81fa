import type { ContainerDefinition, EFSVolumeConfiguration, Volume } from '@aws-sdk/client-ecs'
import { clientException } from '../errors.ts'
import type { NormalizedDefinition } from './task-definition-defaults.ts'

/**
 * Refuses volumes that are none, and mounts of volumes that are not there.
 *
 * @throws ClientException
 */
export function validateVolumes({ volumes, containerDefinitions }: NormalizedDefinition): void {
  const names = new Set<string>()
  for (const volume of volumes) {
    validateVolume(volume)
    const name = volume.name as string
    if (names.has(name)) throw clientException(`Duplicate volume name '${name}'.`)
    names.add(name)
  }
  for (const container of containerDefinitions) validateMountPoints(container, names)
}

function validateVolume({
  name = '',
  host,
  dockerVolumeConfiguration: docker,
  efsVolumeConfiguration: efs,
}: Volume): void {
  if (!/^[a-zA-Z0-9_-]{1,255}$/.test(name))
    throw clientException(
      `Invalid volume name '${name}'. Up to 255 letters (uppercase and lowercase), numbers, underscores, and hyphens are allowed.`,
    )
  if (efs !== undefined) validateEfs(name, efs, host?.sourcePath ?? docker)
  if (docker === undefined) return
  if (host?.sourcePath !== undefined)
    throw clientException(`Volume '${name}' can have either 'host' or 'dockerVolumeConfiguration', not both.`)
  if (docker.autoprovision !== undefined && docker.scope !== 'shared')
    throw clientException(`Volume '${name}': 'autoprovision' can only be specified when 'scope' is 'shared'.`)
}

function validateEfs(name: string, { fileSystemId, rootDirectory }: EFSVolumeConfiguration, beside: unknown): void {
  if (beside !== undefined)
    throw clientException(
      `Volume '${name}' can have one of 'host', 'dockerVolumeConfiguration' and 'efsVolumeConfiguration', not several.`,
    )
  if (!/^fs-[A-Za-z0-9]+$/.test(fileSystemId ?? ''))
    throw clientException(
      `Volume '${name}': '${fileSystemId}' is no id of an EFS file system, such as fs-0123456789abcdef0.`,
    )
  if (rootDirectory !== undefined && !/^\/[^:]*$/.test(rootDirectory))
    throw clientException(`Volume '${name}': 'rootDirectory' must begin with '/' and have no ':'.`)
}

function validateMountPoints({ name, mountPoints = [] }: ContainerDefinition, volumes: ReadonlySet<string>): void {
  const paths = new Set<string>()
  for (const { sourceVolume, containerPath } of mountPoints) {
    if (sourceVolume === undefined || sourceVolume === '')
      throw clientException(`Invalid 'mountPoints' setting for container '${name}'. 'sourceVolume' must be specified.`)
    if (!volumes.has(sourceVolume)) throw clientException(`Unknown volume '${sourceVolume}'.`)
    if (containerPath === undefined || containerPath === '')
      throw clientException(`Invalid 'mountPoints' setting for container '${name}'. 'containerPath' must be specified.`)
    if (paths.has(containerPath))
      throw clientException(
        `Invalid 'mountPoints' setting for container '${name}'. '${containerPath}' is mounted more than once.`,
      )
    paths.add(containerPath)
  }
}
