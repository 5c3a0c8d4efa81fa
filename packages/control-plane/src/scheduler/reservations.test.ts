import * as fc from 'fast-check'
import { seededRandom } from '@berth/shared/random.ts'
import { describe, expect, test } from 'vitest'
import { NO_DEMAND } from './demand.ts'
import { HostFleet } from './host-fleet.ts'
import { place } from './placement.ts'
import { describeHost, RUNNING } from './test-hosts.ts'
import { propertyRuns } from './testing/property-runs.ts'

const demand = (cpu: number) => ({ ...NO_DEMAND, cpu, memory: cpu })
const aTask = { group: 'g', dynamicPorts: [] }

function oneHost(cpu = 1000): HostFleet {
  const fleet = new HostFleet()
  fleet.putHost(describeHost({ id: 'h', cpu, memory: 10_000 }), RUNNING)
  return fleet
}

/** How many tasks of 100 units are placed, of as many as are asked for. */
const placed = (fleet: HostFleet): number =>
  place(
    fleet,
    {
      demand: demand(100),
      constraints: [],
      strategy: [],
      requiredAttributes: [],
      group: 'g',
      count: 50,
      pool: 'main',
    },
    seededRandom(1),
  ).placed.length

describe('room that is reserved', () => {
  test('is given to nobody, and is what it was when it is not reserved any more', () => {
    const fleet = oneHost()
    fleet.reserve('a', 'h', demand(250))
    fleet.reserve('a', 'h', demand(999))
    expect(placed(fleet)).toBe(7)
    expect(placed(fleet.fork())).toBe(7)
    expect(fleet.withoutReservations('h', () => placed(fleet))).toBe(10)
    expect(placed(fleet)).toBe(7)
    fleet.unreserve('a')
    fleet.unreserve('a')
    expect(placed(fleet)).toBe(10)
  })

  test('may be more than there is: then nothing is placed until enough has ended', () => {
    const fleet = oneHost()
    fleet.claim('h', 'old', demand(900), aTask)
    fleet.reserve('a', 'h', demand(250))
    expect(placed(fleet)).toBe(0)
    fleet.release('old')
    expect(placed(fleet)).toBe(7)
  })

  test('goes with its host', () => {
    const fleet = oneHost()
    fleet.reserve('a', 'h', demand(250))
    fleet.removeHost('h')
    fleet.reserve('b', 'h', demand(250))
    fleet.putHost(describeHost({ id: 'h', cpu: 1000, memory: 10_000 }), RUNNING)
    expect(placed(fleet)).toBe(10)
  })

  test('changes nothing for those who look at what is left of a host, whatever comes and goes', () => {
    const step = fc.record({
      what: fc.constantFrom('reserve' as const, 'unreserve' as const, 'claim' as const, 'release' as const),
      key: fc.constantFrom('a', 'b', 'c'),
      cpu: fc.integer({ min: 1, max: 400 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const [fleet, plain] = [oneHost(), oneHost()]
        for (const { what, key, cpu } of steps) {
          if (what === 'reserve') fleet.reserve(key, 'h', demand(cpu))
          if (what === 'unreserve') fleet.unreserve(key)
          for (const each of [fleet, plain]) {
            if (what === 'release') each.release(`task ${key}`)
            if (what === 'claim' && each.claimOf(`task ${key}`) === undefined)
              each.claim('h', `task ${key}`, demand(cpu), aTask)
          }
          expect(fleet.roomOn('h')).toEqual(plain.roomOn('h'))
          expect(fleet.tasksOn('h').toSorted()).toEqual(plain.tasksOn('h').toSorted())
          expect(fleet.taskCount).toBe(plain.taskCount)
          expect(placed(fleet)).toBeLessThanOrEqual(placed(plain))
        }
        for (const key of ['a', 'b', 'c']) fleet.unreserve(key)
        expect(placed(fleet)).toBe(placed(plain))
      }),
      propertyRuns(100),
    )
  })
})
