import { execFile } from 'node:child_process'
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { labBlockDisk } from '../hosts/lab-block-disk.ts'
import { checkLabClocks, labClock } from '../hosts/lab-clock.ts'
import { describeOnLab } from '../hosts/lab-in-test.ts'
import { tool } from '../hosts/tool.ts'

const run = promisify(execFile)

/** A run proves nothing by faults that do not happen. */
describeOnLab('what the faults are made of', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'berth-machines-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  it('a disk whose power is cut has what was brought to it by fsync, and not what was only written', async () => {
    const disk = await labBlockDisk(join(directory, 'disk'), 16)
    const at = (name: string) => join(disk.path, name)
    const write = (name: string, text: string, flush: boolean) => appendFileSync(at(name), text, { flush })
    try {
      write('log', 'synced;', true)
      write('log', 'written;', false)
      write('new', 'written', false)
      expect(readFileSync(at('log'), 'utf8')).toBe('synced;written;')
      let ended = 0
      await disk.cutPower(async () => void ended++)
      expect(ended).toBe(1)
      expect(readFileSync(at('log'), 'utf8')).toBe('synced;')
      expect(existsSync(at('new')) ? readFileSync(at('new'), 'utf8') : '').toBe('')

      disk.fill()
      expect(() => write('log', 'x'.repeat(1 << 16), true)).toThrow('ENOSPC')
      disk.clear()
      write('more', 'y'.repeat(1 << 16), true)
    } finally {
      // The kernel lets go of a disk's blocks a moment after the disk.
      await tool('umount', '--lazy', disk.path, `${disk.path}-blocks`)
    }
  })

  it('a clock is set wrong for one program, and not for others', async () => {
    await checkLabClocks()
    const clock = labClock(join(directory, 'clock'))
    const told = async () => {
      const environment = { ...process.env, ...clock.environment }
      const { stdout } = await run(process.execPath, ['-p', 'Date.now()'], { env: environment })
      return Number(stdout)
    }
    for (const seconds of [0, 7200, -7200]) {
      clock.set(seconds)
      const before = Date.now()
      const ahead = (await told()) - before
      expect(Math.abs(ahead - seconds * 1000)).toBeLessThan(60_000)
    }
  })
})
