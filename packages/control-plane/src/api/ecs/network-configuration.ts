import type { NetworkConfiguration } from '@aws-sdk/client-ecs'
import type { LaunchType, NetworkMode } from '../../cell/task-demand.ts'
import { invalidParameter } from '../errors.ts'

/** ECS's own limits on one network configuration. */
const subnetsAtMost = 16
const securityGroupsAtMost = 5

/**
 * The network configuration of a task or service as ECS keeps it, with its defaults filled in; nothing where the network mode
 * takes none.
 *
 * @throws InvalidParameterException in ECS's words when awsvpc lacks one, another mode has one, or it is out of its limits.
 */
export function networkConfigurationFor(
  mode: NetworkMode,
  launchType: LaunchType,
  given: NetworkConfiguration | undefined,
): NetworkConfiguration | undefined {
  const vpc = given?.awsvpcConfiguration
  if (mode !== 'awsvpc') {
    if (vpc !== undefined)
      throw invalidParameter('Network Configuration is not valid for the given networkMode of this task definition.')
    return undefined
  }
  if (vpc === undefined)
    throw invalidParameter("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
  const { subnets = [], securityGroups = [], assignPublicIp = 'DISABLED' } = vpc
  if (subnets.length === 0) throw invalidParameter('subnets can not be empty.')
  if (subnets.length > subnetsAtMost) throw invalidParameter(`subnets can have at most ${subnetsAtMost} items.`)
  if (securityGroups.length > securityGroupsAtMost)
    throw invalidParameter(`securityGroups can have at most ${securityGroupsAtMost} items.`)
  if (assignPublicIp === 'ENABLED' && launchType !== 'FARGATE')
    throw invalidParameter('Assign public IP is not supported for this launch type.')
  return { awsvpcConfiguration: { subnets, securityGroups, assignPublicIp } }
}
