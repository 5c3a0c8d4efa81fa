import { virtualClock } from '@berth/shared/virtual-clock.ts'
import { expect, test } from 'vitest'
import { JoinGate } from './join-gate.ts'

const admitted = (gate: JoinGate, tries: number) =>
  Array.from({ length: tries }, () => gate.admit()).filter(Boolean).length

test('a burst is let in at once, the rest at the rate', async () => {
  const clock = virtualClock()
  const gate = new JoinGate(clock, { burst: 10, perSecond: 5 })
  expect(admitted(gate, 100)).toBe(10)
  await clock.advanceBy(1000)
  expect(admitted(gate, 100)).toBe(5)
  await clock.advanceBy(100)
  expect(admitted(gate, 100)).toBe(0)
})

test('what is not used gathers, up to the burst', async () => {
  const clock = virtualClock()
  const gate = new JoinGate(clock, { burst: 10, perSecond: 5 })
  admitted(gate, 100)
  await clock.advanceBy(3600_000)
  expect(admitted(gate, 100)).toBe(10)
})
