import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Clock } from '@berth/shared/clock.ts'
import { silentLog } from '@berth/shared/log.ts'
import { type ContainerSnapshot, RuntimeError } from '../runtime/container-runtime.ts'
import { cleanUpImages, type ImageCleanupRules, imagesToRemove, keepImagesClean } from './image-cleanup.ts'
import { type LedgerImage, openImageLedger } from './image-ledger.ts'

const hour = 3_600_000
const rules: ImageCleanupRules = {
  disableImageCleanup: false,
  imageCleanupIntervalMs: hour / 2,
  imageMinimumCleanupAgeMs: hour,
  imagesDeletedPerCycle: 2,
}
const image = (imageId: string, pulledAt: number, lastUsedAt = pulledAt): LedgerImage => ({
  imageId,
  pulledAt,
  lastUsedAt,
})

describe('the images to remove', () => {
  const removed = (images: readonly LedgerImage[], inUse: readonly string[] = []) =>
    imagesToRemove(images, new Set(inUse), 10 * hour, rules).map(({ imageId }) => imageId)

  it.each<[string, readonly LedgerImage[], readonly string[], readonly string[]]>([
    ['one that was unused for long enough', [image('a', 9 * hour)], [], ['a']],
    ['not one that was pulled just now', [image('a', 9 * hour + 1)], [], []],
    ['not one that was used just now', [image('a', 0, 9.5 * hour)], [], []],
    ['not one that a container has', [image('a', 0)], ['a'], []],
    ['the longest unused first, no more than allowed', [image('a', 3), image('b', 1), image('c', 2)], [], ['b', 'c']],
    ['none of none', [], [], []],
  ])('%s', (_what, images, inUse, expected) => {
    expect(removed(images, inUse)).toEqual(expected)
  })
})

describe('cleaning up', () => {
  let directory = ''
  let now = 0
  const timers: (() => void)[] = []
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    after: (_delayMs, wake) => {
      timers.push(wake)
      return () => {}
    },
  }
  const { signal } = new AbortController()
  const path = () => join(directory, 'images.json')

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'berth-images-'))
    now = 0
  })
  afterEach(async () => {
    await rm(directory, { recursive: true })
  })

  const runtimeWith = (inUse: readonly string[], held: readonly string[] = []) => {
    const removed: string[] = []
    return {
      removed,
      list: () => Promise.resolve(inUse.map((imageId) => ({ imageId }) as ContainerSnapshot)),
      removeImage(imageId: string) {
        if (held.includes(imageId)) return Promise.reject(new RuntimeError('refused', 'image is being used'))
        removed.push(imageId)
        return Promise.resolve()
      },
    }
  }

  it('takes away what this agent brought, and nothing else', async () => {
    const ledger = await openImageLedger(path(), clock)
    ledger.resolved('ours', true)
    ledger.resolved('theirs', false)
    now = 2 * hour
    const runtime = runtimeWith([])
    await cleanUpImages({ runtime, ledger, clock, log: silentLog }, rules, signal)
    expect(runtime.removed).toEqual(['ours'])
    expect(ledger.images()).toEqual([])
  })

  it('remembers over a restart', async () => {
    const before = await openImageLedger(path(), clock)
    before.resolved('ours', true)
    await before.save()
    now = 2 * hour
    const runtime = runtimeWith([])
    const ledger = await openImageLedger(path(), clock)
    await cleanUpImages({ runtime, ledger, clock, log: silentLog }, rules, signal)
    expect(runtime.removed).toEqual(['ours'])
    expect((await openImageLedger(path(), clock)).images()).toEqual([])
  })

  it('counts the age from the last use', async () => {
    const ledger = await openImageLedger(path(), clock)
    ledger.resolved('ours', true)
    now = 2 * hour
    await cleanUpImages({ runtime: runtimeWith(['ours']), ledger, clock, log: silentLog }, rules, signal)
    now = 2.5 * hour
    const runtime = runtimeWith([])
    await cleanUpImages({ runtime, ledger, clock, log: silentLog }, rules, signal)
    expect(runtime.removed).toEqual([])
  })

  it('lets the others go where one is held', async () => {
    const ledger = await openImageLedger(path(), clock)
    ledger.resolved('held', true)
    ledger.resolved('free', true)
    now = 2 * hour
    const runtime = runtimeWith([], ['held'])
    await cleanUpImages({ runtime, ledger, clock, log: silentLog }, rules, signal)
    expect(runtime.removed).toEqual(['free'])
    expect(ledger.images()).toEqual([image('held', 0, 2 * hour)])
  })

  it('begins anew where the ledger is damaged', async () => {
    await writeFile(path(), '{"not": "a ledger"')
    const ledger = await openImageLedger(path(), clock)
    expect(ledger.images()).toEqual([])
  })

  it('goes on until told to end', async () => {
    const ledger = await openImageLedger(path(), clock)
    const stop = new AbortController()
    const cleaning = keepImagesClean({ runtime: runtimeWith([]), ledger, clock, log: silentLog }, rules, stop.signal)
    stop.abort(new Error('enough'))
    await expect(cleaning).rejects.toThrow('enough')
    const off = { ...rules, disableImageCleanup: true }
    await keepImagesClean({ runtime: runtimeWith([]), ledger, clock, log: silentLog }, off, signal)
  })
})
