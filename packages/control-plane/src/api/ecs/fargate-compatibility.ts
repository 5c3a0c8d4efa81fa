import type { Compatibility, ContainerDefinition } from '@aws-sdk/client-ecs'
import { clientException } from '../errors.ts'
import type { NormalizedDefinition } from './task-definition-defaults.ts'
import { isFargateSize } from './task-size.ts'

/** The longest `startTimeout` and `stopTimeout` on FARGATE, in seconds. */
const fargateTimeoutSeconds = 120

/** Registries whose images ECS pulls with the execution role. */
const ecrImage = /^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?\//

/**
 * Refuses a definition that says it must run where it cannot.
 *
 * @throws ClientException with ECS's text on the first thing that is in the way.
 */
export function assertRequiredCompatibilities(definition: NormalizedDefinition): void {
  const required = definition.requiresCompatibilities ?? []
  if (required.includes('FARGATE')) {
    const problem = strictFargateProblem(definition)
    if (problem !== undefined) throw clientException(problem)
  }
  if (required.includes('EXTERNAL')) {
    const problem = externalProblem(definition)
    if (problem !== undefined) throw clientException(problem)
  }
}

/**
 * Where the definition can run, as ECS works it out. A definition that names neither a network mode nor what it requires
 * can also run as FARGATE here, where ECS asks for a second definition: it then has the network mode awsvpc, and the size
 * of its containers.
 */
export function compatibilitiesOf(definition: NormalizedDefinition): Compatibility[] {
  const undecided = definition.networkMode === undefined && !definition.requiresCompatibilities?.length
  const fargateProblem = undecided ? fargateRunProblem(definition) : strictFargateProblem(definition)
  return [
    ...(externalProblem(definition) === undefined ? (['EXTERNAL'] as const) : []),
    'EC2',
    ...(fargateProblem === undefined ? (['FARGATE'] as const) : []),
  ]
}

/** What ECS finds wrong with a definition that requires FARGATE. */
function strictFargateProblem(definition: NormalizedDefinition): string | undefined {
  if (definition.networkMode !== 'awsvpc') return "Fargate only supports network mode 'awsvpc'."
  if (definition.cpu === undefined) return "Fargate requires that 'cpu' be defined at the task level."
  if (definition.memory === undefined) return "Fargate requires that 'memory' be defined at the task level."
  if (!isFargateSize(Number(definition.cpu), Number(definition.memory)))
    return 'No Fargate configuration exists for given values.'
  return fargateRunProblem(definition)
}

/** What keeps a definition from running as FARGATE whatever its size and network mode. */
function fargateRunProblem(definition: NormalizedDefinition): string | undefined {
  if (definition.pidMode === 'host')
    return "Tasks using the Fargate launch type do not support pidMode 'host'. The supported value for pidMode is 'task'."
  if (definition.ipcMode !== undefined) return 'Tasks using the Fargate launch type do not support ipcMode.'
  if (definition.placementConstraints.length > 0) return 'Fargate does not support task placement constraints.'
  for (const { host, dockerVolumeConfiguration } of definition.volumes) {
    if (host?.sourcePath !== undefined) return 'Fargate compatible task definitions do not support sourcePath.'
    if (dockerVolumeConfiguration !== undefined)
      return 'Fargate compatible task definitions do not support dockerVolumeConfiguration.'
  }
  if (definition.executionRoleArn === undefined) {
    if (definition.containerDefinitions.some(({ image = '' }) => ecrImage.test(image)))
      return 'Fargate requires task definition to have execution role ARN to support ECR images.'
  }
  for (const container of definition.containerDefinitions) {
    const problem = containerProblem(container)
    if (problem !== undefined) return problem
  }
  return undefined
}

function containerProblem(container: ContainerDefinition): string | undefined {
  const { linuxParameters: linux } = container
  if (container.privileged === true) return 'Fargate compatible task definitions do not support privileged containers.'
  if (container.links?.length) return 'Links are not supported when networkMode=awsvpc.'
  if (container.portMappings?.some(({ containerPort, hostPort = 0 }) => hostPort !== 0 && hostPort !== containerPort))
    return 'When networkMode=awsvpc, the host ports and container ports in port mappings must match.'
  if (container.hostname !== undefined) return "Fargate compatible task definitions do not support 'hostname'."
  if (container.extraHosts?.length) return "Fargate compatible task definitions do not support 'extraHosts'."
  if (container.dnsServers?.length) return "Fargate compatible task definitions do not support 'dnsServers'."
  if (container.dnsSearchDomains?.length)
    return "Fargate compatible task definitions do not support 'dnsSearchDomains'."
  if (container.dockerSecurityOptions?.length)
    return "Fargate compatible task definitions do not support 'dockerSecurityOptions'."
  if (container.disableNetworking === true)
    return "Fargate compatible task definitions do not support 'disableNetworking'."
  if (container.resourceRequirements?.some(({ type }) => type === 'GPU'))
    return 'Fargate compatible task definitions do not support GPU resource requirements.'
  if (linux?.devices?.length) return 'Fargate compatible task definitions do not support devices.'
  if (linux?.tmpfs?.length) return 'Fargate compatible task definitions do not support tmpfs.'
  if (linux?.sharedMemorySize !== undefined)
    return 'Fargate compatible task definitions do not support sharedMemorySize.'
  if (linux?.maxSwap !== undefined || linux?.swappiness !== undefined)
    return 'Fargate compatible task definitions do not support swap.'
  if (linux?.capabilities?.add?.some((capability) => capability !== 'SYS_PTRACE'))
    return "Fargate compatible task definitions only support adding the capability 'SYS_PTRACE'."
  if ((container.stopTimeout ?? 0) > fargateTimeoutSeconds)
    return `The 'stopTimeout' of container '${container.name}' must not be more than ${fargateTimeoutSeconds} seconds for Fargate.`
  if (
    container.startTimeout !== undefined &&
    (container.startTimeout < 2 || container.startTimeout > fargateTimeoutSeconds)
  )
    return `The 'startTimeout' of container '${container.name}' must be from 2 to ${fargateTimeoutSeconds} seconds for Fargate.`
  return undefined
}

/** Machines outside of AWS cannot give a task an interface of its own. */
const externalProblem = ({ networkMode }: NormalizedDefinition): string | undefined =>
  networkMode === 'awsvpc' ? "External instances do not support network mode 'awsvpc'." : undefined
