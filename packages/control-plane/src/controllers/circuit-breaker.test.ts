import type { DeploymentCircuitBreaker, ThresholdConfiguration } from '@aws-sdk/client-ecs'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deploymentRecord, serviceRecord } from '../api/ecs/testing/records.ts'
import type { DeploymentRecord, ServiceRecord } from '../cell/records.ts'
import { failureThreshold, judgeDeployment } from './circuit-breaker.ts'

describe('the threshold of the circuit breaker', () => {
  test.each<[string, ThresholdConfiguration | undefined, number, number]>([
    ['half of the desired count by default', undefined, 20, 10],
    ['rounded up', undefined, 21, 11],
    ['never under 3', undefined, 1, 3],
    ['never over 200', undefined, 1000, 200],
    ['a percentage of the user', { type: 'BOUNDED_PERCENT', value: 10 }, 100, 10],
    ['without bounds above', { type: 'UNBOUNDED_PERCENT', value: 50 }, 1000, 500],
    ['without bounds below', { type: 'UNBOUNDED_PERCENT', value: 50 }, 2, 1],
    ['a count', { type: 'COUNT', value: 7 }, 1000, 7],
    ['1 at least, with a service of none', { type: 'UNBOUNDED_PERCENT', value: 50 }, 0, 1],
  ])('%s', (_, thresholdConfiguration, desiredCount, expected) => {
    expect(failureThreshold({ ...(thresholdConfiguration && { thresholdConfiguration }) }, desiredCount)).toBe(expected)
  })

  test('is a whole number of at least 1 and never falls as the desired count rises', () => {
    const configuration = fc.record({
      type: fc.constantFrom('BOUNDED_PERCENT', 'UNBOUNDED_PERCENT', 'COUNT'),
      value: fc.integer({ min: 1, max: 200 }),
    })
    fc.assert(
      fc.property(configuration, fc.nat(5000), fc.nat(100), (thresholdConfiguration, desired, more) => {
        const threshold = failureThreshold({ thresholdConfiguration }, desired)
        expect(Number.isInteger(threshold)).toBe(true)
        expect(threshold).toBeGreaterThanOrEqual(1)
        expect(failureThreshold({ thresholdConfiguration }, desired + more)).toBeGreaterThanOrEqual(threshold)
      }),
    )
  })
})

const failing = (more: Partial<DeploymentRecord> = {}) =>
  deploymentRecord({ id: 'new', rolloutState: 'IN_PROGRESS', breakerFailures: 3, ...more })
const completed = deploymentRecord({ id: 'old', status: 'ACTIVE' })
const serviceWith = (
  primary: DeploymentRecord,
  breaker: DeploymentCircuitBreaker | undefined,
  more: Partial<ServiceRecord> = {},
) =>
  serviceRecord('web', {
    deployments: [primary, completed],
    lastCompletedDeployment: completed,
    deploymentConfiguration: breaker ? { deploymentCircuitBreaker: breaker } : {},
    ...more,
  })

describe('the circuit breaker', () => {
  const on = { enable: true, rollback: true }

  test.each<[string, ServiceRecord, string]>([
    ['holds where there is none', serviceWith(failing(), undefined), 'holds'],
    ['holds where it is off', serviceWith(failing(), { enable: false, rollback: true }), 'holds'],
    ['holds below its threshold', serviceWith(failing({ breakerFailures: 2 }), on), 'holds'],
    ['holds for a deployment that completed', serviceWith(failing({ rolloutState: 'COMPLETED' }), on), 'holds'],
    ['judges a failed deployment no more', serviceWith(failing({ rolloutState: 'FAILED' }), on), 'holds'],
    ['holds for a service that is being deleted', serviceWith(failing(), on, { status: 'DRAINING' }), 'holds'],
    ['rolls back at its threshold', serviceWith(failing(), on), 'rolls back'],
    ['fails without rollback', serviceWith(failing(), { enable: true, rollback: false }), 'fails'],
    [
      'fails the first deployment',
      serviceRecord('web', { deployments: [failing()], deploymentConfiguration: { deploymentCircuitBreaker: on } }),
      'fails',
    ],
    [
      'never rolls back onto itself',
      serviceWith(failing({ id: 'old' }), on, { deployments: [failing({ id: 'old' })] }),
      'fails',
    ],
  ])('%s', (_, service, kind) => {
    expect(judgeDeployment(service).kind).toBe(kind)
  })

  test('goes back to the last deployment that completed, though it has left the list', () => {
    const service = serviceWith(failing(), on, {
      deployments: [failing(), failing({ id: 'between', status: 'ACTIVE' })],
    })
    expect(judgeDeployment(service)).toEqual({ kind: 'rolls back', target: completed })
  })
})
