import { taskDefinitionArn } from '@berth/shared/arn.ts'
import { beforeEach, describe, expect, it } from 'vitest'
import {
  clusterNameOf,
  containerInstanceIdOf,
  findContainerInstance,
  findTask,
  findTaskDefinition,
  parseTaskDefinitionReference,
  resolveCluster,
  resolveContainerInstance,
  resolveService,
  resolveTask,
  resolveTaskDefinition,
  serviceNameOf,
  taskIdOf,
} from './arn-references.ts'
import { clusterHandlers } from './clusters.ts'
import { type CallOperation, callOperations } from './testing/call-operation.ts'
import { definitionOf } from './testing/definitions.ts'
import { hostRecord, serviceRecord, taskRecord } from './testing/records.ts'
import { type TestControlPlane, testControlPlane, testScope } from './testing/test-control-plane.ts'
import { taskDefinitionHandlers } from './task-definitions.ts'

let plane: TestControlPlane
let call: CallOperation
beforeEach(async () => {
  plane = testControlPlane()
  call = callOperations(plane, { ...clusterHandlers(plane.deps), ...taskDefinitionHandlers(plane.deps) })
  await call('CreateCluster', {})
})

const arn = (resource: string) => `arn:aws:ecs:us-east-1:123456789012:${resource}`
const tables = () => plane.cell.tables

describe('a cluster', () => {
  it.each([
    [undefined, 'default'],
    ['', 'default'],
    ['other', 'other'],
    [arn('cluster/other'), 'other'],
  ])('%s is the name %s', (input, name) => {
    expect(clusterNameOf(testScope, input)).toBe(name)
  })

  it.each([
    [arn('service/a/b'), 'Cluster Identifier is invalid'],
    [arn('cluster/a/b'), 'Cluster Identifier is invalid'],
    ['arn:aws:s3:::bucket', 'Cluster Identifier is invalid'],
    [
      'arn:aws:ecs:eu-west-1:123456789012:cluster/a',
      'Invalid identifier: Identifier is for eu-west-1. Your region is us-east-1',
    ],
    [
      'arn:aws:ecs:us-east-1:999999999999:cluster/a',
      'Invalid identifier: Identifier is for 999999999999. Your accountId is 123456789012',
    ],
  ])('%s is refused', (input, message) => {
    expect(() => clusterNameOf(testScope, input)).toThrow(message)
  })

  it('is found by name and by ARN, `default` when none is named', () => {
    for (const input of [undefined, 'default', arn('cluster/default')])
      expect(resolveCluster(tables(), testScope, input).name).toBe('default')
  })

  it('that does not exist, or was deleted, is refused in ECS words', async () => {
    expect(() => resolveCluster(tables(), testScope, 'none')).toThrow(
      expect.objectContaining({ code: 'ClusterNotFoundException', message: 'Cluster not found.' }),
    )
    await call('DeleteCluster', { cluster: 'default' })
    expect(() => resolveCluster(tables(), testScope, 'default')).toThrow(
      expect.objectContaining({
        code: 'ClusterNotFoundException',
        message: 'The referenced cluster was inactive.',
      }),
    )
  })
})

describe.each([
  ['service', serviceNameOf, 'Service'],
  ['task', taskIdOf, 'Task'],
  ['container-instance', containerInstanceIdOf, 'Container instance'],
] as const)('a %s', (kind, nameOf, title) => {
  it.each(['name', 'default/name', arn(`${kind}/default/name`), arn(`${kind}/name`)])('%s is its name', (input) => {
    expect(nameOf(testScope, 'default', input)).toBe('name')
  })

  it.each([arn(`${kind}/other/name`), 'other/name'])('%s belongs to another cluster', (input) => {
    expect(() => nameOf(testScope, 'default', input)).toThrow(
      'Invalid identifier: Identifier is for cluster other. Your cluster is default',
    )
  })

  it.each(['', 'default/', 'a/b/c', arn('cluster/default')])('%j is none', (input) => {
    expect(() => nameOf(testScope, 'default', input)).toThrow(`${title} Identifier is invalid`)
  })
})

describe('what lives in a cluster', () => {
  beforeEach(async () => {
    await plane.put('tasks', 't1', taskRecord('t1'))
    await plane.put('hosts', 'h1', hostRecord('h1'))
    await plane.put('services', 'default/s1', serviceRecord('s1'))
  })

  it('is found in it', () => {
    expect(resolveTask(tables(), testScope, 'default', 't1').id).toBe('t1')
    expect(resolveContainerInstance(tables(), testScope, 'default', arn('container-instance/default/h1')).id).toBe('h1')
    expect(resolveService(tables(), testScope, 'default', arn('service/default/s1')).name).toBe('s1')
  })

  it('is not found in another', () => {
    expect(findTask(tables(), testScope, 'other', 't1')).toBeUndefined()
    expect(findContainerInstance(tables(), testScope, 'other', 'h1')).toBeUndefined()
    expect(() => resolveTask(tables(), testScope, 'other', 't1')).toThrow('The referenced task was not found.')
    expect(() => resolveContainerInstance(tables(), testScope, 'other', 'h1')).toThrow(
      'The referenced container instance was not found.',
    )
    expect(() => resolveService(tables(), testScope, 'other', 's1')).toThrow(
      expect.objectContaining({ code: 'ServiceNotFoundException', message: 'Service not found.' }),
    )
  })
})

describe('a task definition', () => {
  beforeEach(async () => {
    for (let revision = 1; revision <= 3; revision++) await call('RegisterTaskDefinition', definitionOf())
  })

  it.each(['web:2', arn('task-definition/web:2')])('%s is that revision', (reference) => {
    expect(findTaskDefinition(tables(), testScope, reference)?.revision).toBe(2)
  })

  it('of a family alone is the newest ACTIVE revision', async () => {
    expect(findTaskDefinition(tables(), testScope, 'web')?.revision).toBe(3)
    await call('DeregisterTaskDefinition', { taskDefinition: 'web:3' })
    expect(findTaskDefinition(tables(), testScope, 'web')?.revision).toBe(2)
    expect(findTaskDefinition(tables(), testScope, arn('task-definition/web'))?.revision).toBe(2)
  })

  it.each(['none', 'web:9', taskDefinitionArn({ ...testScope, region: 'eu-west-1' }, 'web', 1)])(
    '%s is not found',
    (reference) => {
      expect(() => resolveTaskDefinition(tables(), testScope, reference)).toThrow(
        expect.objectContaining({ code: 'ClientException', message: 'TaskDefinition not found.' }),
      )
    },
  )

  it.each(['foo', '0', '-1', '1.5', '', '1:2', '9999999999'])('has no revision %j', (number) => {
    expect(() => parseTaskDefinitionReference(testScope, `web:${number}`)).toThrow(
      `Invalid revision number. Number: ${number}`,
    )
  })

  it('that is INACTIVE can be found but not run', async () => {
    await call('DeregisterTaskDefinition', { taskDefinition: 'web:1' })
    expect(findTaskDefinition(tables(), testScope, 'web:1')?.status).toBe('INACTIVE')
    expect(() => resolveTaskDefinition(tables(), testScope, 'web:1', 'InvalidParameterException')).toThrow(
      expect.objectContaining({ code: 'InvalidParameterException', message: 'TaskDefinition is inactive' }),
    )
  })
})
