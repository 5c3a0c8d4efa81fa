import { describe, expect, it } from 'vitest'
import { deploymentRecord, serviceRecord, taskRecord } from '../api/ecs/testing/records.ts'
import type { Explanation, Lack } from '../scheduler/explanation.ts'
import {
  blockedByConfiguration,
  breakerRollsBack,
  breakerTripped,
  cannotPlace,
  cannotStartConsistently,
  deploymentCompleted,
  rolloutCompleted,
  scalingActivity,
  startedTasks,
  steadyState,
  stoppedTasks,
} from './service-sentences.ts'

const service = serviceRecord('web')
const deployment = deploymentRecord({ id: 'ecs-svc/1234567890123456789' })
const tasks = [taskRecord('a'), taskRecord('b')]

describe('what a service says of itself is what ECS says', () => {
  it.each([
    [startedTasks(service, tasks), '(service web) has started 2 tasks: (task a) (task b).'],
    [stoppedTasks(service, tasks.slice(1)), '(service web) has stopped 1 running tasks: (task b).'],
    [steadyState(service), '(service web) has reached a steady state.'],
    [
      deploymentCompleted(service, deployment),
      '(service web) (deployment ecs-svc/1234567890123456789) deployment completed.',
    ],
    [rolloutCompleted(deployment), 'ECS deployment ecs-svc/1234567890123456789 completed.'],
    [breakerTripped, 'ECS deployment circuit breaker: task failed to start.'],
    [
      breakerRollsBack(deployment),
      'ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1234567890123456789.',
    ],
    [scalingActivity(deployment), 'Scaling activity initiated by (deployment ecs-svc/1234567890123456789)'],
    [
      blockedByConfiguration(service),
      '(service web) was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again.',
    ],
  ])('%s', (said, expected) => {
    expect(said).toBe(expected)
  })

  it('that its tasks do not start', () => {
    expect(cannotStartConsistently(service)).toMatch(
      /^\(service web\) is unable to consistently start tasks successfully\./,
    )
  })
})

describe('what a service says of a task that finds no room', () => {
  const guide = 'For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.'
  const explanation = (lack: Lack): Explanation => ({
    considered: 1,
    suitable: 0,
    removed: { [lack.rule]: 1 },
    closest: [{ hostId: 'h', ec2InstanceId: 'i-h', lacks: [lack] }],
  })

  it.each<[Lack, string]>([
    [{ rule: 'ports', port: { port: 80, protocol: 'tcp' } }, 'is already using a port required by your task'],
    [{ rule: 'cpu', needs: 256, has: 1 }, 'has insufficient CPU units available'],
    [{ rule: 'memory', needs: 256, has: 1 }, 'has insufficient memory available'],
    [{ rule: 'agent' }, 'encountered error "AGENT"'],
    [{ rule: 'attribute', name: 'stack' }, 'is missing an attribute required by your task'],
  ])('of %j is that the closest host %s, in the words of ECS', (lack, words) => {
    expect(cannotPlace(service, explanation(lack))).toContain(
      `(service web) was unable to place a task because no container instance met all of its requirements. The closest matching (container-instance h) ${words}. ${guide}`,
    )
  })

  it('where there is no host is that there is none', () => {
    expect(cannotPlace(service, undefined)).toBe(
      `(service web) was unable to place a task. Reason: No Container Instances were found in your cluster. ${guide}`,
    )
  })
})
