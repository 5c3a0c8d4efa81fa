import type { ContainerDefinition, PortMapping } from '@aws-sdk/client-ecs'
import { clientException } from '../errors.ts'
import { defaultNetworkMode, type NormalizedDefinition } from './task-definition-defaults.ts'

/**
 * Refuses port mappings that the network mode cannot give.
 *
 * @throws ClientException with ECS's text.
 */
export function validatePortMappings({ containerDefinitions, networkMode }: NormalizedDefinition): void {
  const mode = networkMode ?? defaultNetworkMode
  const names = new Set<string>()
  const hostPorts = new Set<string>()
  for (const container of containerDefinitions) {
    const mappings = container.portMappings ?? []
    if (mode === 'none' && mappings.length > 0)
      throw clientException('Port mappings are not supported when networkMode=none.')
    for (const mapping of mappings) {
      validatePorts(container, mapping)
      if ((mode === 'awsvpc' || mode === 'host') && mapping.hostPort !== mapping.containerPort)
        throw clientException(
          `When networkMode=${mode}, the host ports and container ports in port mappings must match.`,
        )
      if (mode === 'bridge' || mode === 'host') claimHostPort(hostPorts, mapping)
      if (mapping.name !== undefined) claimName(names, container, mapping.name)
    }
  }
}

function validatePorts(container: ContainerDefinition, mapping: PortMapping): void {
  if (mapping.containerPortRange !== undefined) return validateRange(container, mapping)
  if (!isPort(mapping.containerPort))
    throw clientException(`Invalid 'containerPort' setting for container '${container.name}'.`)
  if (mapping.hostPort !== undefined && mapping.hostPort !== 0 && !isPort(mapping.hostPort))
    throw clientException(`Invalid 'hostPort' setting for container '${container.name}'.`)
}

/** A range has no port beside it: its host ports are chosen, or are those of the container. */
function validateRange(container: ContainerDefinition, { containerPortRange = '', ...mapping }: PortMapping): void {
  const [, first, last] = /^(\d{1,5})-(\d{1,5})$/.exec(containerPortRange) ?? []
  if (!isPort(Number(first)) || !isPort(Number(last)) || Number(first) > Number(last))
    throw clientException(`Invalid 'containerPortRange' setting for container '${container.name}'.`)
  if (mapping.containerPort !== undefined || (mapping.hostPort ?? 0) !== 0)
    throw clientException(
      `Invalid 'containerPortRange' setting for container '${container.name}'. It cannot be specified with 'containerPort' or 'hostPort'.`,
    )
}

const isPort = (port: number | undefined): boolean => port !== undefined && port >= 1 && port <= 65_535

function claimHostPort(taken: Set<string>, { hostPort = 0, protocol = 'tcp' }: PortMapping): void {
  if (hostPort === 0) return
  const port = `${hostPort}/${protocol}`
  if (taken.has(port))
    throw clientException(`Host port ${port} is used by more than one port mapping of the task definition.`)
  taken.add(port)
}

function claimName(taken: Set<string>, container: ContainerDefinition, name: string): void {
  if (!/^[a-z0-9_][a-z0-9_-]{0,63}$/.test(name))
    throw clientException(
      `Invalid 'name' setting of a port mapping for container '${container.name}'. Up to 64 lowercase letters, numbers, underscores and hyphens are allowed, and it cannot start with a hyphen.`,
    )
  if (taken.has(name))
    throw clientException(`The port mapping name '${name}' is used more than once in the task definition.`)
  taken.add(name)
}
