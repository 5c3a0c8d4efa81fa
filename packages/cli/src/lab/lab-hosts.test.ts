import { seededRandom } from '@berth/shared/random.ts'
import { expect, test } from 'vitest'
import { LabHostList } from './lab-hosts.ts'

const hosts = (seed = 1) => {
  const list = new LabHostList('us-east-1', seededRandom(seed))
  const plans = list.add({ count: 9, cpu: 1024, memory: 2048, zones: 3 })
  return { list, plans }
}

test('hosts are in zones by turns, and numbered on', () => {
  const { list, plans } = hosts()
  expect(plans.slice(0, 4).map(({ zone }) => zone)).toEqual(['us-east-1a', 'us-east-1b', 'us-east-1c', 'us-east-1a'])
  expect(list.add({ count: 1, cpu: 1024, memory: 2048, zones: 3 })[0]?.number).toBe(10)
})

test('a zone is taken whole, and brought back whole', () => {
  const { list } = hosts()
  expect(list.take({ zone: 'b' }, 'killed')).toEqual([2, 5, 8])
  expect(list.up).toBe(6)
  expect(list.bringBack({})).toEqual([2, 5, 8])
  expect(list.up).toBe(9)
})

test('so many hosts are drawn, each once, and the same ones for the same seed', () => {
  const drawn = hosts(3).list.take({ hosts: 5 }, 'partitioned')
  expect(new Set(drawn).size).toBe(5)
  expect(hosts(3).list.take({ hosts: 5 }, 'partitioned')).toEqual(drawn)
})

test('hosts that are not there cannot be taken', () => {
  const { list } = hosts()
  expect(() => list.take({ hosts: 4, zone: 'b' }, 'killed')).toThrow('wants 4 hosts, and 3 are there')
  expect(() => list.take({ zone: 'd' }, 'killed')).toThrow('0 are there')
})
