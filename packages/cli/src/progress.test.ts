import { sleep } from '@berth/shared/clock.ts'
import { virtualClock } from '@berth/shared/virtual-clock.ts'
import { expect, test } from 'vitest'
import { progressTo } from './progress.ts'

async function linesOf(workMs: number): Promise<readonly string[]> {
  const clock = virtualClock()
  const lines: string[] = []
  const done = progressTo(clock, (line) => lines.push(line)).step('Waiting', () => sleep(clock, workMs))
  await clock.advanceBy(60_000)
  await done
  return lines
}

test('a step is told of once a person wonders, and how long it took', async () => {
  expect(await linesOf(3400)).toEqual(['==> Waiting ...', '    done in 3.4 s'])
})

test('a quick step is not told of', async () => {
  expect(await linesOf(1900)).toEqual([])
})

test('a step that fails is not said to be done', async () => {
  const clock = virtualClock()
  const lines: string[] = []
  const failing = progressTo(clock, (line) => lines.push(line)).step('Waiting', async () => {
    await sleep(clock, 5000)
    throw new Error('no')
  })
  const failed = expect(failing).rejects.toThrow('no')
  await clock.advanceBy(60_000)
  await failed
  expect(lines).toEqual(['==> Waiting ...'])
})
