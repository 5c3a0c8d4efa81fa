import { virtualClock } from '@berth/shared/virtual-clock.ts'
import { expect, test } from 'vitest'
import { type CallFate, memoryStore } from './memory/memory-store.ts'
import { watchedStore } from './store-presence.ts'

const leader = { api: 'http://one', agents: 'one' }

test('a store is away from a call that failed until one that it did', async () => {
  let fate: CallFate = 'done'
  const { store, away } = watchedStore(memoryStore({ clock: virtualClock(), faults: { fate: () => fate } }))
  expect(away()).toBe(false)
  await store.acquireLease('one', 5000, leader)
  expect(away()).toBe(false)
  fate = 'refused'
  await expect(store.load()).rejects.toThrow('does not answer')
  expect(away()).toBe(true)
  fate = 'answer lost'
  await expect(store.renewLease({ epoch: 1, holder: 'one' }, 5000)).rejects.toThrow('lost')
  expect(away()).toBe(true)
  fate = 'done'
  await store.load()
  expect(away()).toBe(false)
})

test('a store that refuses a fence or a lease has answered', async () => {
  const { store, away } = watchedStore(memoryStore({ clock: virtualClock() }))
  await store.acquireLease('one', 5000, leader)
  expect((await store.acquireLease('two', 5000, leader)).kind).toBe('taken')
  expect((await store.commit({ fence: { epoch: 9, holder: 'two' }, sequence: 1, changes: [] })).kind).toBe('fenced')
  expect(away()).toBe(false)
})
