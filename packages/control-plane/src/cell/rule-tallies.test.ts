import { describe, expect, test } from 'vitest'
import { NO_DEMAND } from '../scheduler/demand.ts'
import { HostFleet } from '../scheduler/host-fleet.ts'
import type { PlacementRequest } from '../scheduler/placement-request.ts'
import { describeHost, RUNNING } from '../scheduler/test-hosts.ts'
import { RuleTallies } from './rule-tallies.ts'

const request: PlacementRequest = {
  demand: { ...NO_DEMAND, cpu: 512, memory: 512 },
  constraints: [],
  strategy: [],
  requiredAttributes: [{ name: 'ssd' }],
  group: 'family:web',
  count: 1,
  pool: 'main',
}

/** Of each three hosts one has no SSD, and one of those that have it is too small. */
function fleetOf(hosts: number): HostFleet {
  const fleet = new HostFleet()
  for (let index = 0; index < hosts; index++) {
    const attributes: Record<string, string | null> = index % 3 === 0 ? {} : { ssd: null }
    fleet.putHost(describeHost({ id: `${index}`, cpu: index % 3 === 1 ? 256 : 1024, attributes }), RUNNING)
  }
  return fleet
}

describe('how many hosts each rule removes', () => {
  test('is counted anew for each launch on few hosts', () => {
    const fleet = fleetOf(9)
    const tallies = new RuleTallies()
    expect(tallies.countFor(fleet, request, {}, 0)).toEqual({ suitable: 3, removed: { attribute: 3, cpu: 3 } })
    fleet.setHostState('2', { ...RUNNING, agentConnected: false })
    expect(tallies.countFor(fleet, request, {}, 0)).toEqual({
      suitable: 2,
      removed: { agent: 1, attribute: 3, cpu: 3 },
    })
  })

  test('on many hosts is counted now and then, and speaks for launches that are alike', () => {
    const fleet = fleetOf(600)
    const tallies = new RuleTallies()
    const [web, db] = [{}, {}]
    const first = tallies.countFor(fleet, request, web, 0)
    expect(first).toEqual({ suitable: 200, removed: { attribute: 200, cpu: 200 } })
    expect(tallies.countFor(fleet, request, db, 99)).toBeUndefined()
    expect(tallies.countFor(fleet, request, web, 99)).toBe(first)
    expect(tallies.countFor(fleet, { ...request, group: 'service:web' }, web, 99)).toBeUndefined()
    expect(tallies.countFor(fleet, request, db, 100)).toEqual(first)
    expect(tallies.countFor(fleet, request, web, 10_000)).not.toBe(first)
  })
})
