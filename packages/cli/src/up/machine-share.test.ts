import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { machineShare, memoryReserveMib } from './machine-share.ts'

test.each([
  [{ cpus: 2, memoryMib: 24_000 }, 3, { cpu: 682, memoryMib: 7200 }],
  [{ cpus: 4, memoryMib: 8000 }, 2, { cpu: 2048, memoryMib: 3600 }],
  [{ cpus: 1, memoryMib: 1024 }, 1, { cpu: 1024, memoryMib: 512 }],
  [{ cpus: 1, memoryMib: 400 }, 20, { cpu: 128, memoryMib: 16 }],
])('%o is divided among %i hosts', (machine, hosts, share) => {
  expect(machineShare(machine, hosts)).toEqual(share)
})

test('what is kept back is a tenth, within bounds', () => {
  expect([2000, 20_000, 100_000].map(memoryReserveMib)).toEqual([512, 2000, 4096])
})

test('hosts together promise no more than the machine has, as long as each can have a share', () => {
  fc.assert(
    fc.property(fc.nat({ max: 512 }), fc.nat({ max: 4_000_000 }), fc.integer({ min: 1, max: 250 }), (c, m, hosts) => {
      const machine = { cpus: c + 1, memoryMib: m + 512 }
      const share = machineShare(machine, hosts)
      expect(share.cpu === 128 || share.cpu * hosts <= machine.cpus * 1024).toBe(true)
      const left = machine.memoryMib - memoryReserveMib(machine.memoryMib)
      expect(share.memoryMib === 16 || share.memoryMib * hosts <= left).toBe(true)
    }),
  )
})
