import { describe, expect, test } from 'vitest'
import { moreConstraints, moreHosts, strategySteps } from './plan-input.ts'

describe('a strategy', () => {
  test.each([
    ['binpack:memory', [{ type: 'binpack', field: 'memory' }]],
    ['random', [{ type: 'random' }]],
    [
      'spread:attribute:ecs.availability-zone, binpack:cpu',
      [
        { type: 'spread', field: 'attribute:ecs.availability-zone' },
        { type: 'binpack', field: 'cpu' },
      ],
    ],
  ])('%s is read', (text, steps) => {
    expect(strategySteps(text)).toEqual(steps)
  })

  test.each(['', 'binpack:memory,', ':memory'])('"%s" is none', (text) => {
    expect(() => strategySteps(text)).toThrow('not a list')
  })
})

describe('constraints', () => {
  test('add up', () => {
    const first = moreConstraints('distinctInstance')
    expect(moreConstraints('memberOf:attribute:rack == r1', first)).toEqual([
      { type: 'distinctInstance' },
      { type: 'memberOf', expression: 'attribute:rack == r1' },
    ])
  })

  test.each(['memberOf', 'memberOf:', 'distinct'])('"%s" is none', (text) => {
    expect(() => moreConstraints(text)).toThrow('neither')
  })
})

describe('hosts to be added', () => {
  test('add up', () => {
    const first = moreHosts('cpu=1024,memory=2048')
    expect(moreHosts('cpu=4096, memory=16384,zone=a,count=3,network-interfaces=9,attribute:rack=r1', first)).toEqual([
      { cpu: 1024, memory: 2048 },
      { cpu: 4096, memory: 16384, zone: 'a', count: 3, networkInterfaces: 9, attributes: { rack: 'r1' } },
    ])
  })

  test.each([
    ['cpu=1024', 'needs cpu= and memory='],
    ['cpu=much,memory=1', '"cpu=much" is none of'],
    ['cpu=1,memory=1,disk=7', '"disk=7" is none of'],
  ])('"%s" is none', (text, message) => {
    expect(() => moreHosts(text)).toThrow(message)
  })
})
