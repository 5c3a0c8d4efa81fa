import type { DeploymentConfiguration } from '@aws-sdk/client-ecs'
import { describe, expect, test } from 'vitest'
import { deploymentConfigurationFor } from './deployment-configuration.ts'

describe('deploymentConfigurationFor', () => {
  test('alarms are answered where they are given', () => {
    expect(deploymentConfigurationFor('REPLICA', undefined)).not.toHaveProperty('alarms')
    const alarms = { alarmNames: [], enable: false, rollback: false }
    expect(deploymentConfigurationFor('REPLICA', { alarms })).toMatchObject({ alarms })
  })

  test('what is given stands over what is there, and that over the defaults', () => {
    const current = deploymentConfigurationFor('REPLICA', { maximumPercent: 150 })
    const updated = deploymentConfigurationFor(
      'REPLICA',
      { minimumHealthyPercent: 50, deploymentCircuitBreaker: { enable: true, rollback: true } },
      current,
    )
    expect(updated).toEqual({
      deploymentCircuitBreaker: { enable: true, rollback: true },
      maximumPercent: 150,
      minimumHealthyPercent: 50,
      strategy: 'ROLLING',
      bakeTimeInMinutes: 0,
    })
  })

  test.each<[DeploymentConfiguration, string, string]>([
    [{ lifecycleHooks: [{}] }, 'ClientException', 'lifecycleHooks without a targetType is not supported by Berth'],
    [
      { earlySuccessCriteria: { enable: true } },
      'InvalidParameterException',
      'earlySuccessCriteria needs healthyPercent and sourceServiceRevisionCleanup',
    ],
    [
      { earlySuccessCriteria: { enable: true, healthyPercent: 99, sourceServiceRevisionCleanup: 'DEFERRED' } },
      'InvalidParameterException',
      'healthyPercent of earlySuccessCriteria cannot be less than minimumHealthyPercent.',
    ],
    [
      {
        deploymentCircuitBreaker: { enable: true, rollback: true, thresholdConfiguration: { type: 'COUNT', value: 0 } },
      },
      'InvalidParameterException',
      'The value of thresholdConfiguration must be greater than 0.',
    ],
    [
      { lifecycleHooks: [{ targetType: 'PAUSE', hookTargetArn: 'arn:x', lifecycleStages: ['PRE_SCALE_UP'] }] },
      'InvalidParameterException',
      'hookTargetArn and roleArn are not applicable',
    ],
    [
      { lifecycleHooks: [{ targetType: 'PAUSE' }] },
      'InvalidParameterException',
      'lifecycleStages of a lifecycle hook cannot be empty.',
    ],
    [
      { lifecycleHooks: [{ targetType: 'PAUSE', lifecycleStages: ['TEST_TRAFFIC_SHIFT'] }] },
      'InvalidParameterException',
      'Lifecycle hooks of targetType PAUSE cannot be configured at TEST_TRAFFIC_SHIFT.',
    ],
    [{ bakeTimeInMinutes: 1441 }, 'InvalidParameterException', 'bakeTimeInMinutes must be between 0 and 1440.'],
    [{ maximumPercent: 99 }, 'InvalidParameterException', 'maximumPercent must be at least 100.'],
    [{ minimumHealthyPercent: -1 }, 'InvalidParameterException', 'minimumHealthyPercent cannot be negative.'],
    [
      { maximumPercent: 100 },
      'InvalidParameterException',
      'Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.',
    ],
    [
      { maximumPercent: 120, minimumHealthyPercent: 130 },
      'InvalidParameterException',
      'maximumPercent cannot be less than minimumHealthyPercent.',
    ],
  ])('%j is refused', (given, code, message) => {
    expect(() => deploymentConfigurationFor('REPLICA', given)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) as string }),
    )
  })
})
