import { describe, expect, it } from 'vitest'
import { NO_DEMAND } from './demand.ts'
import { HostFleet } from './host-fleet.ts'
import { planIndexed } from './indexed-choice.ts'
import type { PlacementRequest } from './placement-request.ts'
import type { StrategyStep } from './strategy.ts'
import { RUNNING, describeHost } from './test-hosts.ts'

const request = (strategy: readonly StrategyStep[]): PlacementRequest => ({
  demand: NO_DEMAND,
  constraints: [],
  strategy,
  requiredAttributes: [],
  group: 'g',
  count: 1,
  pool: 'main',
})

const STEPS: Readonly<Record<string, StrategyStep>> = {
  cpu: { type: 'binpack', field: 'cpu' },
  memory: { type: 'binpack', field: 'memory' },
  room: { type: 'binpack', field: 'room' },
  rack: { type: 'spread', by: { kind: 'attribute', name: 'rack' } },
  zone: { type: 'spread', by: { kind: 'attribute', name: 'zone' } },
  host: { type: 'spread', by: { kind: 'host' } },
  random: { type: 'random' },
}

describe('a chain of steps', () => {
  const fleet = new HostFleet()
  for (let at = 0; at < 40; at++) fleet.putHost(describeHost({ id: `h${at}` }), RUNNING)
  const planOf = (chain: string) => {
    const names = chain === '' ? [] : chain.split(' ')
    const plan = planIndexed(fleet, request(names.map((name) => STEPS[name] as StrategyStep)))
    return plan && [plan.field, plan.attribute, plan.spreadsHosts, plan.indexName]
  }

  it.each([
    ['', ['room', undefined, false, 'room']],
    ['cpu', ['cpu', undefined, false, 'cpu']],
    ['memory cpu', ['memory', undefined, false, 'memory']],
    ['cpu memory', ['cpu', undefined, false, 'cpu']],
    ['rack', ['room', 'rack', false, 'room by rack']],
    ['rack cpu', ['cpu', 'rack', false, 'cpu by rack']],
    ['host', ['room', undefined, true, 'room']],
    ['rack host memory cpu', ['memory', 'rack', true, 'memory by rack']],
  ])('of %j is answered from an index', (chain, plan) => {
    expect(planOf(chain)).toEqual(plan)
  })

  it.each([
    'random',
    'rack random',
    'rack zone cpu',
    'host rack cpu',
    'host host cpu',
    'cpu memory cpu',
    'cpu random',
    'cpu host',
    'cpu room',
    'room cpu',
    'cpu rack',
  ])('of %j is not', (chain) => {
    expect(planOf(chain)).toBeUndefined()
  })

  it('is compiled once', () => {
    let asked = 0
    const strategy = new Proxy([STEPS['cpu'] as StrategyStep], {
      get: (target, key) => {
        asked++
        return Reflect.get(target, key) as unknown
      },
    })
    const first = planIndexed(fleet, request(strategy))
    const times = asked
    expect(planIndexed(fleet, request(strategy))).toEqual(first)
    expect(asked).toBe(times)
  })
})
