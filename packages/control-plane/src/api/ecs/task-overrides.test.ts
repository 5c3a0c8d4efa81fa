import type { TaskOverride } from '@aws-sdk/client-ecs'
import { describe, expect, test } from 'vitest'
import type { LaunchType, StoredDefinition } from '../../cell/task-demand.ts'
import { overridesFor } from './task-overrides.ts'

const definition: StoredDefinition = {
  cpu: '256',
  memory: '512',
  containerDefinitions: [
    { name: 'app', image: 'a', memory: 256, memoryReservation: 128 },
    { name: 'side', image: 's', memory: 64 },
  ],
}

describe('overridesFor', () => {
  test('names each container, overridden or not', () => {
    expect(overridesFor(definition, 'EC2', undefined)).toEqual({
      containerOverrides: [{ name: 'app' }, { name: 'side' }],
      inferenceAcceleratorOverrides: [],
    })
    const side = { name: 'side', command: ['x'], environment: [{ name: 'A', value: '1' }] }
    expect(overridesFor(definition, 'EC2', { containerOverrides: [side] }).containerOverrides).toEqual([
      { name: 'app' },
      side,
    ])
  })

  test('keeps sizes in units and MiB, and roles as they are', () => {
    const given = { cpu: '1 vCPU', memory: '2GB', taskRoleArn: 'arn:role', ephemeralStorage: { sizeInGiB: 50 } }
    expect(overridesFor(definition, 'FARGATE', given)).toMatchObject({
      cpu: '1024',
      memory: '2048',
      taskRoleArn: 'arn:role',
      ephemeralStorage: { sizeInGiB: 50 },
    })
  })

  const ofApp = (override: object): TaskOverride => ({ containerOverrides: [{ name: 'app', ...override }] })

  test.each<[string, LaunchType, TaskOverride, string]>([
    ['a container without a name', 'EC2', { containerOverrides: [{}] }, 'Container override name can not be empty.'],
    [
      'a container twice',
      'EC2',
      { containerOverrides: [{ name: 'app' }, { name: 'app' }] },
      'Container named app is overridden more than once.',
    ],
    ['negative CPU', 'EC2', ofApp({ cpu: -1 }), "Invalid 'cpu' override for container 'app'."],
    ['too little memory', 'EC2', ofApp({ memory: 5 }), 'the minimum is 6 MiB'],
    ['more memory than the task has', 'EC2', ofApp({ memory: 513 }), "'memory' must not be more than the task's."],
    ['more CPU than the task has', 'EC2', ofApp({ cpu: 257 }), "'cpu' must not be more than the task's."],
    ['soft above hard memory', 'EC2', ofApp({ memoryReservation: 257 }), "'memoryReservation' must be less than"],
    ['a variable without a name', 'EC2', ofApp({ environment: [{ value: '1' }] }), 'can not be empty.'],
    [
      'no whole number of GPUs',
      'EC2',
      ofApp({ resourceRequirements: [{ type: 'GPU', value: 'many' }] }),
      "Invalid GPU resource requirement 'many' for container 'app'.",
    ],
    [
      'too much of it all',
      'EC2',
      ofApp({ command: ['x'.repeat(8200)] }),
      'Container Overrides length must be at most 8192',
    ],
    ['a size that FARGATE lacks', 'FARGATE', { cpu: '300' }, 'No Fargate configuration exists for given values.'],
    ['no size', 'EC2', { cpu: 'much' }, "Invalid 'cpu' setting for task."],
    ['storage on EC2', 'EC2', { ephemeralStorage: { sizeInGiB: 30 } }, 'not supported for launch type EC2'],
    ['too much storage', 'FARGATE', { ephemeralStorage: { sizeInGiB: 201 } }, 'must be between 20 and 200 GiB'],
  ])('%s is refused', (_, launchType, given, message) => {
    expect(() => overridesFor(definition, launchType, given)).toThrow(message)
  })
})
