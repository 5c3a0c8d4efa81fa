import { assert, asyncProperty, integer, nat } from 'fast-check'
import { expect, it } from 'vitest'
import { fifoSlots } from './fifo-slots.ts'

const forever = new AbortController().signal

it('never has more under way than there are slots, and serves in order', async () => {
  await assert(
    asyncProperty(integer({ min: 1, max: 5 }), nat(20), async (count, jobs) => {
      const slots = fifoSlots(count)
      const order: number[] = []
      let underWay = 0
      let most = 0
      await Promise.all(
        Array.from({ length: jobs }, (_, index) =>
          slots.run(async () => {
            order.push(index)
            underWay += 1
            most = Math.max(most, underWay)
            await Promise.resolve()
            underWay -= 1
          }, forever),
        ),
      )
      expect(most).toBe(Math.min(count, jobs))
      expect(order).toEqual([...order].sort((a, b) => a - b))
    }),
  )
})

it('gives the slot on when the work fails', async () => {
  const slots = fifoSlots(1)
  await expect(slots.run(() => Promise.reject(new Error('no')), forever)).rejects.toThrow('no')
  expect(await slots.run(() => Promise.resolve('yes'), forever)).toBe('yes')
})

it('lets one that waits leave, and does not lose its slot', async () => {
  const slots = fifoSlots(1)
  const gate = Promise.withResolvers<void>()
  const first = slots.run(() => gate.promise, forever)
  const leaver = new AbortController()
  const left = slots.run(() => Promise.resolve('left'), leaver.signal)
  const stayed = slots.run(() => Promise.resolve('stayed'), forever)
  leaver.abort(new Error('enough'))
  await expect(left).rejects.toThrow('enough')
  gate.resolve()
  await first
  expect(await stayed).toBe('stayed')
})

it('finishes what has been begun before it begins more', async () => {
  const slots = fifoSlots(1)
  const gate = Promise.withResolvers<void>()
  const order: string[] = []
  const note = (what: string) => () => {
    order.push(what)
    return Promise.resolve()
  }
  const all = [
    slots.run(() => gate.promise, forever),
    slots.run(note('create 1'), forever),
    slots.run(note('create 2'), forever),
    slots.run(note('start 1'), forever, 'ahead'),
    slots.run(note('start 2'), forever, 'ahead'),
  ]
  gate.resolve()
  await Promise.all(all)
  expect(order).toEqual(['start 1', 'start 2', 'create 1', 'create 2'])
})
