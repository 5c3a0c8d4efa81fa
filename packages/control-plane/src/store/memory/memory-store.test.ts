import { virtualClock } from '@berth/shared/virtual-clock.ts'
import { describe, expect, test } from 'vitest'
import { describeStoreContract } from '../store-contract.ts'
import { memoryStore, type CallFate } from './memory-store.ts'
import { memoryWorld } from './memory-world.ts'

describeStoreContract('memory', async () => {
  const clock = virtualClock()
  const world = memoryWorld()
  return {
    open: async () => memoryStore({ clock, world }),
    passTime: (ms) => clock.advanceBy(ms),
    close: async () => {},
  }
})

describe('faults of the memory store', () => {
  const change = { table: 'tasks', key: 'a', value: '1' }

  async function leader(fates: CallFate[]) {
    const clock = virtualClock()
    const world = memoryWorld()
    const store = memoryStore({ clock, world, faults: { fate: () => fates.shift() ?? 'done' } })
    const lease = await store.acquireLease('p1', 5000, { api: '', agents: '' })
    if (lease.kind !== 'held') throw new Error('the lease of an empty store was not free')
    return { store, world, fence: lease.fence }
  }

  test('a refused commit did nothing', async () => {
    const { store, fence } = await leader(['done', 'refused'])
    await expect(store.commit({ fence, sequence: 1, changes: [change] })).rejects.toThrow('does not answer')
    expect(await store.load()).toEqual({ sequence: 0, records: [] })
  })

  test('a commit whose answer was lost did everything', async () => {
    const { store, fence } = await leader(['done', 'answer lost'])
    await expect(store.commit({ fence, sequence: 1, changes: [change] })).rejects.toThrow('answer was lost')
    expect(await store.load()).toEqual({ sequence: 1, records: [change] })
  })

  test('calls arrive, and are answered, in the order of the calls however long each takes', async () => {
    const clock = virtualClock()
    const delays = [0, 0, 50, 1, 2, 3]
    const store = memoryStore({ clock, faults: { delayMs: () => delays.shift() ?? 0 } })
    const lease = await store.acquireLease('p1', 5000, { api: '', agents: '' })
    const answered: number[] = []
    const fence = { epoch: 1, holder: 'p1' }
    const commits = [1, 2].map(async (sequence) => {
      const outcome = await store.commit({ fence, sequence, changes: [] })
      answered.push(sequence)
      return outcome.kind
    })
    await clock.advanceBy(100)
    expect(lease.kind).toBe('held')
    expect(await Promise.all(commits)).toEqual(['committed', 'committed'])
    expect(answered).toEqual([1, 2])
  })

  test('a world goes back to a snapshot, and the leader of later is told', async () => {
    const { store, world, fence } = await leader([])
    await store.commit({ fence, sequence: 1, changes: [change] })
    const before = world.snapshot()
    await store.commit({ fence, sequence: 2, changes: [{ ...change, value: '2' }] })
    world.restore(before)
    expect(await store.commit({ fence, sequence: 3, changes: [] })).toEqual({ kind: 'out-of-sequence', durable: 1 })
    expect((await store.load()).records).toEqual([change])
  })
})
