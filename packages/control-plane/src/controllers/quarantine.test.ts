import { expect, test } from 'vitest'
import { noteStoreReturn } from '../cell/store-return.ts'
import { memoryStore } from '../store/memory/memory-store.ts'
import { Cell } from '../cell/cell.ts'
import { seededRandom } from '@berth/shared/random.ts'
import { silentLog } from '@berth/shared/log.ts'
import { virtualClock } from '@berth/shared/virtual-clock.ts'
import { restingInQuarantine } from './quarantine.ts'

async function cellWithController() {
  const clock = virtualClock()
  const store = memoryStore({ clock })
  const lease = await store.acquireLease('p1', 3_600_000, { api: '', agents: '' })
  if (lease.kind !== 'held') throw new Error('the lease is not free')
  const defer = (run: () => void) => void clock.after(0, run)
  const deps = { store, fence: lease.fence, clock, random: seededRandom(1), log: silentLog, defer, onLost() {} }
  const cell = new Cell(deps, { sequence: 0, records: [] })
  const history: string[] = []
  const controller = restingInQuarantine(
    { name: 'services', start: () => void history.push('start'), stop: () => void history.push('stop') },
    { clock },
  )
  const storeReturns = (quarantineMs: number) => {
    void cell.transact((tx) => noteStoreReturn(tx, clock.now(), quarantineMs, 'test'))
    return clock.advanceBy(1)
  }
  return { clock, cell, controller, history, storeReturns }
}

test('a controller runs at once where nothing is wrong', async () => {
  const { cell, controller, history } = await cellWithController()
  controller.start(cell)
  expect(history).toEqual(['start'])
  controller.stop()
  expect(history).toEqual(['start', 'stop'])
})

test('it stops when the store is found to have gone back, and starts when the quarantine is over', async () => {
  const { clock, cell, controller, history, storeReturns } = await cellWithController()
  controller.start(cell)
  await storeReturns(1000)
  expect(history).toEqual(['start', 'stop'])
  await clock.advanceBy(500)
  await storeReturns(1000)
  await clock.advanceBy(900)
  expect(history).toEqual(['start', 'stop'])
  await clock.advanceBy(200)
  expect(history).toEqual(['start', 'stop', 'start'])
})

test('one that comes to a cell in quarantine waits for its end, and is not started when it is stopped before', async () => {
  const { clock, cell, controller, history, storeReturns } = await cellWithController()
  await storeReturns(1000)
  controller.start(cell)
  expect(history).toEqual([])
  controller.stop()
  await clock.advanceBy(2000)
  expect(history).toEqual([])
})
