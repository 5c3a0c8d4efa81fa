import { randomBelow, seededRandom } from '@berth/shared/random.ts'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { FitOrder } from './fit-index.ts'
import { HostFleet } from './host-fleet.ts'
import { binpackValue } from './host-score.ts'
import { INDEXED_FROM_HOSTS, indexOf } from './pool-index.ts'
import { RUNNING, describeHost } from './test-hosts.ts'
import { propertyRuns } from './testing/property-runs.ts'

function fleetOf(hosts: number, rackOf: (host: number) => string = () => 'r'): HostFleet {
  const fleet = new HostFleet()
  for (let at = 0; at < hosts; at++)
    fleet.putHost(describeHost({ id: `h${at}`, attributes: { rack: rackOf(at) } }), RUNNING)
  return fleet
}

/** All hosts of an order, or one more than there are of one without an end. */
function walk(order: FitOrder, most: number): number[] {
  const cursor = order.walkFrom(0)
  const slots: number[] = []
  for (let slot = order.next(cursor, 0, 0); slot >= 0 && slots.length <= most; slot = order.next(cursor, 0, 0))
    slots.push(slot)
  return slots
}

describe('the index of a pool', () => {
  it('is made for large pools only, and for attributes of few values', () => {
    const index = (fleet: HostFleet, attribute?: string) =>
      indexOf(fleet, 'main', `cpu by ${attribute}`, 'cpu', attribute) !== undefined
    expect(index(fleetOf(INDEXED_FROM_HOSTS - 1))).toBe(false)
    expect(index(fleetOf(INDEXED_FROM_HOSTS))).toBe(true)
    expect(
      index(
        fleetOf(100, (at) => `r${at % 63}`),
        'rack',
      ),
    ).toBe(true)
    expect(
      index(
        fleetOf(100, (at) => `r${at % 64}`),
        'rack',
      ),
    ).toBe(false)
  })

  it('is made once for each name, and for each pool', () => {
    const fleet = fleetOf(40)
    const byCpu = indexOf(fleet, 'main', 'cpu', 'cpu', undefined)
    expect(indexOf(fleet, 'main', 'cpu', 'cpu', undefined)).toBe(byCpu)
    expect(indexOf(fleet, 'main', 'memory', 'memory', undefined)).not.toBe(byCpu)
    expect(indexOf(fleet, 'nobody', 'cpu', 'cpu', undefined)).toBeUndefined()
  })

  it.each(['cpu', 'memory', 'room'] as const)(
    'has the hosts that take tasks, each value of an attribute in a part, in the order of %s, however they come, grow and go',
    (field) => {
      fc.assert(
        fc.property(fc.nat(), fc.boolean(), (seed, inParts) => {
          const random = seededRandom(seed)
          const fleet = fleetOf(40)
          let most = 40
          const put = (id: string) => {
            const larger = 2 ** randomBelow(random, 9)
            const custom = new Map([['fpga', randomBelow(random, 3)]])
            const has = {
              cpu: larger * (1 + randomBelow(random, 9)),
              memory: larger * 10,
              gpus: randomBelow(random, 3),
              custom,
            }
            const state = randomBelow(random, 6) === 0 ? { ...RUNNING, agentConnected: false } : RUNNING
            const pools = randomBelow(random, 9) === 0 ? ['other'] : ['main']
            fleet.putHost(
              describeHost({ id, ...has, pools, attributes: { rack: `r${randomBelow(random, 3)}` } }),
              state,
            )
          }
          for (let round = 0; round < 6; round++) {
            for (let change = randomBelow(random, 60); change > 0; change--) {
              const id = `h${randomBelow(random, most)}`
              if (randomBelow(random, 9) === 0) fleet.removeHost(id)
              else if (randomBelow(random, 3) === 0) put(`h${most++}`)
              else put(id)
            }
            const { members, size } = fleet.pool('main').slots
            const index = indexOf(fleet, 'main', 'it', field, inParts ? 'rack' : undefined)
            expect(index !== undefined).toBe(size >= INDEXED_FROM_HOSTS)
            if (index === undefined) continue
            const racks = fleet.attributeValues('rack')
            const wanted = Array.from(members.slice(0, size)).filter((slot) => fleet.placeable[slot] === 1)
            const found = index.current().flatMap((order, part) => {
              const slots = order === undefined ? [] : walk(order, most)
              const keys = slots.map((slot) => binpackValue(fleet, field, slot))
              expect(keys).toEqual(keys.toSorted((a, b) => a - b))
              if (inParts) for (const slot of slots) expect(racks.of(slot)).toBe(part)
              return slots
            })
            expect(found.toSorted((a, b) => a - b)).toEqual(wanted.toSorted((a, b) => a - b))
          }
        }),
        propertyRuns(100),
      )
    },
  )
})
