import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { hostAddress, hostZone, mostHosts } from './host-address.ts'

test('a host has the same loopback address at every start, and no two have the same', () => {
  fc.assert(
    fc.property(fc.string(), (directory) => {
      const addresses = Array.from({ length: mostHosts }, (_, index) => hostAddress(directory, index + 1))
      expect(new Set(addresses).size).toBe(mostHosts)
      expect(addresses).toEqual(addresses.map((_, index) => hostAddress(directory, index + 1)))
      const [net, second] = (addresses[0] ?? '').split('.').map(Number)
      expect(net).toBe(127)
      expect(second).toBeGreaterThanOrEqual(64)
      expect(second).toBeLessThan(128)
    }),
  )
})

test('clusters in different directories have different addresses', () => {
  expect(hostAddress('/var/lib/one', 1)).not.toBe(hostAddress('/var/lib/two', 1))
})

test.each([
  [['a', 'b'], 1, 'eu-west-1a'],
  [['a', 'b'], 2, 'eu-west-1b'],
  [['a', 'b'], 3, 'eu-west-1a'],
  [['rack-7'], 1, 'rack-7'],
])('of zones %o host %i is in %s', (zones, number, zone) => {
  expect(hostZone('eu-west-1', zones, number)).toBe(zone)
})
