import { describe, expect, test } from 'vitest'
import {
  claimFor,
  effectiveContainers,
  grantPorts,
  type NetworkMode,
  networkModeOf,
  type StoredDefinition,
  taskDemand,
  taskSize,
} from './task-demand.ts'

const ports = [
  { containerPort: 80 },
  { containerPort: 53, hostPort: 5353, protocol: 'udp' as const, name: 'dns' },
  { containerPortRange: '9000-9001' },
]
const definition: StoredDefinition = {
  containerDefinitions: [
    { name: 'app', image: 'a', cpu: 100, memory: 300, memoryReservation: 200, portMappings: ports },
    { name: 'side', image: 's', cpu: 50, memory: 64, resourceRequirements: [{ type: 'GPU', value: '2' }] },
  ],
}

describe('networkModeOf', () => {
  test.each([
    ['host' as const, 'FARGATE' as const, 'host'],
    [undefined, 'FARGATE' as const, 'awsvpc'],
    [undefined, 'EC2' as const, 'bridge'],
  ])('of %s on %s is %s', (networkMode, launchType, mode) => {
    expect(networkModeOf({ ...definition, ...(networkMode && { networkMode }) }, launchType)).toBe(mode)
  })
})

describe('taskSize', () => {
  test('is the sum over containers, soft memory first', () => {
    expect(taskSize(definition, {})).toEqual({ cpu: 150, memoryMib: 264 })
  })

  test('is what task level says, and overrides above that', () => {
    const sized = { ...definition, cpu: '512', memory: '1024' }
    expect(taskSize(sized, {})).toEqual({ cpu: 512, memoryMib: 1024 })
    expect(taskSize(sized, { cpu: '1024' })).toEqual({ cpu: 1024, memoryMib: 1024 })
  })

  test('counts overrides of containers', () => {
    const containerOverrides = [{ name: 'app', cpu: 10, memoryReservation: 20 }]
    expect(taskSize(definition, { containerOverrides })).toEqual({ cpu: 60, memoryMib: 84 })
  })
})

describe('taskDemand and the grants that answer it', () => {
  test.each<[NetworkMode, object, number[], Record<string, number[]>]>([
    [
      'bridge',
      { enis: 0, ports: [{ port: 5353, protocol: 'udp' }], dynamicPorts: 3 },
      [49153, 49154, 49155],
      { app: [49153, 5353, 49154, 49155] },
    ],
    [
      'host',
      {
        enis: 0,
        ports: [
          { port: 80, protocol: 'tcp' },
          { port: 5353, protocol: 'udp' },
          { port: 9000, protocol: 'tcp' },
          { port: 9001, protocol: 'tcp' },
        ],
        dynamicPorts: 0,
      },
      [],
      { app: [80, 5353, 9000, 9001] },
    ],
    ['awsvpc', { enis: 1, ports: [], dynamicPorts: 0 }, [], { app: [0, 0, 0, 0] }],
    ['none', { enis: 0, ports: [], dynamicPorts: 0 }, [], { app: [0, 0, 0, 0] }],
  ])('in mode %s', (mode, wanted, dynamicPorts, hostPorts) => {
    const demand = taskDemand(definition, {}, mode)
    expect(demand).toMatchObject({ cpu: 150, memory: 264, gpus: 2, ...wanted })
    const grants = grantPorts(definition, mode, dynamicPorts)
    expect(Object.fromEntries(Array.from(grants, ([name, of]) => [name, of.map(({ hostPort }) => hostPort)]))).toEqual(
      hostPorts,
    )
    expect(grants.get('app')?.[1]).toMatchObject({ containerPort: 53, protocol: 'udp', name: 'dns' })
    expect(claimFor(demand, dynamicPorts)).toMatchObject({ cpu: 150, memoryMib: 264, gpus: 2, dynamicPorts })
  })
})

describe('effectiveContainers', () => {
  test('an override replaces what it names, and adds to the environment', () => {
    const base: StoredDefinition = {
      containerDefinitions: [
        {
          name: 'app',
          image: 'a',
          command: ['old'],
          environment: [
            { name: 'A', value: '1' },
            { name: 'B', value: '1' },
          ],
        },
      ],
    }
    const [container] = effectiveContainers(base, {
      containerOverrides: [
        {
          name: 'app',
          command: ['new'],
          environment: [
            { name: 'B', value: '2' },
            { name: 'C', value: '2' },
          ],
        },
      ],
    })
    expect(container?.command).toEqual(['new'])
    expect(container?.environment).toEqual([
      { name: 'A', value: '1' },
      { name: 'B', value: '2' },
      { name: 'C', value: '2' },
    ])
  })

  test('an empty command overrides nothing', () => {
    const base: StoredDefinition = { containerDefinitions: [{ name: 'app', image: 'a', command: ['old'] }] }
    expect(effectiveContainers(base, { containerOverrides: [{ name: 'app', command: [] }] })[0]?.command).toEqual([
      'old',
    ])
  })
})
