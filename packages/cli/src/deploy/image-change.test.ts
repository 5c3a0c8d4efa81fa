import { describe, expect, test } from 'vitest'
import { imageChange } from './image-change.ts'

const definition = (...containerDefinitions: { name: string; image: string; essential?: boolean }[]) => ({
  taskDefinitionArn: 'arn:aws:ecs:us-east-1:123456789012:task-definition/web:3',
  family: 'web',
  revision: 3,
  status: 'ACTIVE',
  networkMode: 'bridge',
  requiresAttributes: [{ name: 'com.amazonaws.ecs.capability.docker-remote-api.1.18' }],
  registeredAt: 1,
  registeredBy: 'arn:somebody',
  compatibilities: ['EC2'],
  containerDefinitions,
})

describe('the registration of another image', () => {
  test('is the definition as it was, without what only answers have, and with its tags', () => {
    const app = { name: 'app', image: 'web:1', memory: 64, environment: [{ name: 'A', value: 'b' }] }
    expect(imageChange(definition(app), [{ key: 'team', value: 'shop' }], { image: 'web:2' })).toEqual({
      container: 'app',
      before: 'web:1',
      registration: {
        family: 'web',
        networkMode: 'bridge',
        containerDefinitions: [{ ...app, image: 'web:2' }],
        tags: [{ key: 'team', value: 'shop' }],
      },
    })
  })

  test('has no tags where there are none: an empty list is an error of its own', () => {
    const { registration } = imageChange(definition({ name: 'app', image: 'web:1' }), [], { image: 'web:2' })
    expect(registration).not.toHaveProperty('tags')
  })

  test('is left out where the container has the image already', () => {
    expect(imageChange(definition({ name: 'app', image: 'web:1' }), [], { image: 'web:1' })).toEqual({
      container: 'app',
      before: 'web:1',
    })
  })
})

describe('the container whose image it is', () => {
  const app = { name: 'app', image: 'web:1', essential: true }
  const proxy = { name: 'proxy', image: 'proxy:1' }
  const migration = { name: 'migration', image: 'migrate:1', essential: false }
  const chosen = (containers: (typeof app | typeof proxy)[], container?: string) =>
    imageChange(definition(...containers), [], { image: 'new', container }).container

  test.each([
    [[migration], undefined, 'migration'],
    [[migration, app], undefined, 'app'],
    [[migration, proxy], undefined, 'proxy'],
    [[app, proxy], 'proxy', 'proxy'],
    [[app, migration], 'migration', 'migration'],
  ])('of %j, told %s, is %s', (containers, told, name) => {
    expect(chosen(containers, told)).toBe(name)
  })

  test('is asked for where more than one is essential, or none', () => {
    const question = 'Say with --container whose image it is: app, proxy.'
    expect(() => chosen([app, proxy])).toThrow(question)
    expect(() => chosen([migration, { ...migration, name: 'other' }])).toThrow('migration, other')
  })

  test('must be there', () => {
    expect(() => chosen([app, migration], 'db')).toThrow('There is no container db: there is app, migration.')
  })
})
