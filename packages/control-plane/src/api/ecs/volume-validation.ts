import type { ContainerDefinition, Volume } from '@aws-sdk/client-ecs'
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

function validateVolume({ name = '', host, dockerVolumeConfiguration: docker }: Volume): void {
  if (!/^[a-zA-Z0-9_-]{1,255}$/.test(name))
    throw clientException(
      `Invalid volume name '${name}'. Up to 255 letters (uppercase and lowercase), numbers, underscores, and hyphens are allowed.`,
    )
  if (docker === undefined) return
  if (host?.sourcePath !== undefined)
    throw clientException(`Volume '${name}' can have either 'host' or 'dockerVolumeConfiguration', not both.`)
  if (docker.autoprovision !== undefined && docker.scope !== 'shared')
    throw clientException(`Volume '${name}': 'autoprovision' can only be specified when 'scope' is 'shared'.`)
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
