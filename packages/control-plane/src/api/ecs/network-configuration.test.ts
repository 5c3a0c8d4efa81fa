import { describe, expect, test } from 'vitest'
import { networkConfigurationFor } from './network-configuration.ts'

const subnets = (count: number) => Array.from({ length: count }, (_, index) => `subnet-${index}`)

describe('networkConfigurationFor', () => {
  test('fills in what ECS answers', () => {
    expect(networkConfigurationFor('awsvpc', 'EC2', { awsvpcConfiguration: { subnets: ['s'] } })).toEqual({
      awsvpcConfiguration: { subnets: ['s'], securityGroups: [], assignPublicIp: 'DISABLED' },
    })
  })

  test.each(['bridge', 'host', 'none'] as const)('is nothing in mode %s, where an empty one is no clash', (mode) => {
    expect(networkConfigurationFor(mode, 'EC2', undefined)).toBeUndefined()
    expect(networkConfigurationFor(mode, 'EC2', {})).toBeUndefined()
    expect(() => networkConfigurationFor(mode, 'EC2', { awsvpcConfiguration: { subnets: ['s'] } })).toThrow(
      'Network Configuration is not valid for the given networkMode of this task definition.',
    )
  })

  test.each([
    [undefined, "Network Configuration must be provided when networkMode 'awsvpc' is specified."],
    [{}, "Network Configuration must be provided when networkMode 'awsvpc' is specified."],
    [{ awsvpcConfiguration: { subnets: [] } }, 'subnets can not be empty.'],
    [{ awsvpcConfiguration: { subnets: subnets(17) } }, 'subnets can have at most 16 items.'],
    [
      { awsvpcConfiguration: { subnets: ['s'], securityGroups: subnets(6) } },
      'securityGroups can have at most 5 items.',
    ],
    [
      { awsvpcConfiguration: { subnets: ['s'], assignPublicIp: 'ENABLED' as const } },
      'Assign public IP is not supported for this launch type.',
    ],
  ])('%j is refused for awsvpc on EC2', (given, message) => {
    expect(() => networkConfigurationFor('awsvpc', 'EC2', given)).toThrow(message)
  })

  test('FARGATE tasks may have a public address', () => {
    const given = { awsvpcConfiguration: { subnets: subnets(16), assignPublicIp: 'ENABLED' as const } }
    expect(networkConfigurationFor('awsvpc', 'FARGATE', given)?.awsvpcConfiguration?.assignPublicIp).toBe('ENABLED')
  })
})
