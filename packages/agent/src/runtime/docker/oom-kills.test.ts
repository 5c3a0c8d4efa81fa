import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { silentLog } from '@berth/shared/log.ts'
import { virtualClock } from '@berth/shared/virtual-clock.ts'
import { OomKills } from './oom-kills.ts'

const id = 'c'.repeat(64)
const signal = new AbortController().signal
const ended = (exitCode: number, more: { finishedAt?: number; oomKilled?: boolean } = {}) => ({
  runtimeId: id,
  exitCode,
  oomKilled: false,
  ...more,
})

describe('where the log of the kernel can be read', () => {
  const killsWithLog = () => {
    const directory = mkdtempSync(join(tmpdir(), 'berth-kmsg-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const path = join(directory, 'kmsg')
    writeFileSync(path, '')
    const kills = new OomKills({ clock: virtualClock(), log: silentLog }, path)
    return { kills, kernelKills: () => appendFileSync(path, `3,1,2,-;oom-kill:task_memcg=/docker/${id},task=sh\n`) }
  }

  it('a kill counts that Docker does not know of', async () => {
    const { kills, kernelKills } = killsWithLog()
    kills.starts(id)
    kernelKills()
    expect(await kills.ended(ended(137), false, signal)).toBe(true)
  })

  it('a kill counts that Docker alone knows of', async () => {
    const { kills } = killsWithLog()
    kills.told(id)
    expect(await kills.ended(ended(137), false, signal)).toBe(true)
  })

  it('a container that somebody else killed was not', async () => {
    const { kills } = killsWithLog()
    expect(await kills.ended(ended(137), false, signal)).toBe(false)
  })

  it('a container that ended by itself ended by itself, though a child of it was killed', async () => {
    const { kills, kernelKills } = killsWithLog()
    kernelKills()
    expect(await kills.ended(ended(1), false, signal)).toBe(false)
  })

  it('a container is not taken for another one of its task that was killed, as Docker does', async () => {
    const { kills, kernelKills } = killsWithLog()
    kills.told(id)
    expect(await kills.ended(ended(137, { oomKilled: true }), true, signal)).toBe(false)
    kernelKills()
    expect(await kills.ended(ended(137), true, signal)).toBe(true)
  })

  it('a kill of an earlier run is not one of this run', async () => {
    const { kills, kernelKills } = killsWithLog()
    kills.told(id)
    kernelKills()
    kills.starts(id)
    expect(await kills.ended(ended(137), false, signal)).toBe(false)
  })
})

describe('where it cannot be read', () => {
  const lab = () => {
    const clock = virtualClock()
    return { clock, kills: new OomKills({ clock, log: silentLog }, '/nowhere/kmsg') }
  }

  it("Docker's event counts, also one that comes after the end", async () => {
    const { clock, kills } = lab()
    const told = kills.ended(ended(137, { finishedAt: clock.now() }), false, signal)
    await clock.advanceBy(100)
    kills.told(id)
    await clock.advanceBy(50)
    expect(await told).toBe(true)
  })

  it('it is not waited for when the end is long ago', async () => {
    const { clock, kills } = lab()
    expect(await kills.ended(ended(137, { finishedAt: clock.now() - 1_000 }), false, signal)).toBe(false)
  })

  it('it is not waited for long', async () => {
    const { clock, kills } = lab()
    const told = kills.ended(ended(137, { finishedAt: clock.now() }), false, signal)
    await clock.advanceBy(1_000)
    expect(await told).toBe(false)
  })
})
