import type { PlanRebalancingAnswer } from '@berth/control-plane/api/berth/plan-rebalancing.ts'
import { describe, expect, test } from 'vitest'
import type { EcsClient } from '../ecs/ecs-client.ts'
import { rebalance, type RebalanceInput } from './rebalance.ts'

const host = (name: string) => ({ name, containerInstanceArn: `arn:${name}`, ec2InstanceId: `i-${name}`, zone: 'a' })
const full = (cpu: number, tasks: number) => ({ cpu, cpuTotal: 1000, memory: 0, memoryTotal: 1000, tasks })

const oneMove: PlanRebalancingAnswer = {
  cluster: 'default',
  goal: 'spread',
  moves: [{ taskId: 'f00', service: 'web', from: host('host-1'), to: host('host-2'), gain: 2 }],
  services: { movable: 1, leftAlone: ['api'] },
  spreads: [
    {
      service: 'web',
      by: 'spread(instanceId)',
      places: [
        { place: 'host-1', before: 2, after: 1 },
        { place: 'host-2', before: 0, after: 1 },
      ],
    },
  ],
  hosts: [
    { host: host('host-1'), before: full(500, 2), after: full(250, 1) },
    { host: host('host-2'), before: full(0, 0), after: full(250, 1) },
  ],
  hostsInUse: { before: 1, after: 2, active: 2 },
  atOnce: 3,
}

async function asked(input: RebalanceInput, answer = oneMove) {
  const lines: string[] = []
  const calls: unknown[] = []
  const berth = ((operation: string, body: object) => {
    calls.push(operation, JSON.parse(JSON.stringify(body)))
    return Promise.resolve(answer)
  }) as EcsClient
  await rebalance(berth, input, { out: (line) => void lines.push(line) })
  return { lines, calls }
}

describe('berth rebalance', () => {
  test('shows moves and what they gain, and changes nothing when it runs dry', async () => {
    const { lines, calls } = await asked({ dryRun: true, goal: 'spread', budget: 7 })
    expect(calls).toEqual(['PlanRebalancing', { goal: 'spread', budget: 7 }])
    expect(lines.slice(0, 2)).toEqual([
      'Cluster default, to spread its services again: 1 move.',
      '1 service can be moved. Left alone now: api. 1 of 2 active hosts in use, 2 after it.',
    ])
    expect(lines).toContain('web, spread(instanceId): host-1 2 -> 1, host-2 0 -> 1')
    expect(lines.find((line) => line.startsWith('host-1'))).toMatch(/2 -> 1 +50 % -> 25 % +0 % -> 0 %$/)
    expect(lines.at(-1)).toBe('Nothing was changed.')
  })

  test('asks for the moves otherwise', async () => {
    const { lines, calls } = await asked({})
    expect(calls).toEqual(['RequestRebalancing', {}])
    expect(lines.at(-1)).toContain('Asked for. Moves begin in seconds, 3 at once')
  })

  test('has nothing to ask for when there is nothing to move', async () => {
    const { lines } = await asked({}, { ...oneMove, moves: [] })
    expect(lines[0]).toBe('Cluster default, to spread its services again: there is nothing to move.')
    expect(lines.at(-1)).toBe('Nothing was changed.')
  })

  test('speaks JSON', async () => {
    const { lines } = await asked({ json: true, dryRun: true })
    expect(JSON.parse(lines.join('\n'))).toEqual(oneMove)
  })
})
