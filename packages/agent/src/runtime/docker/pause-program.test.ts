import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { pauseProgram } from './pause-program.ts'

/** Where the code begins: behind the file's header and the one of its segment. */
const codeStart = 64 + 56

describe('the pause program', () => {
  it.each([
    ['amd64', 62],
    ['arm64', 183],
  ] as const)('for %s is an executable for machine %i', (architecture, machine) => {
    const program = pauseProgram(architecture)
    expect(program.subarray(0, 7)).toEqual(Buffer.from('\x7fELF\x02\x01\x01', 'latin1'))
    expect(program.readUInt16LE(18)).toBe(machine)
    expect(program.readBigUInt64LE(24)).toBe(0x400000n + BigInt(codeStart))
    expect(program.readBigUInt64LE(64 + 32)).toBe(BigInt(program.length))
  })

  it('on amd64 takes its action from where the action is', () => {
    const code = pauseProgram('amd64').subarray(codeStart)
    const nextInstruction = 17
    const action = nextInstruction + code.readInt32LE(13)
    expect(code.subarray(action)).toEqual(Buffer.concat([Buffer.from([1]), Buffer.alloc(31)]))
    expect(action % 8).toBe(0)
  })

  it('on arm64 takes its action from where the action is, and goes round', () => {
    const code = pauseProgram('arm64').subarray(codeStart)
    const adr = code.readUInt32LE(8)
    expect(adr >>> 24).toBe(0x10)
    const action = 8 + ((adr >>> 5) & 0x7ffff) * 4
    expect(code.subarray(action)).toEqual(Buffer.concat([Buffer.from([1]), Buffer.alloc(31)]))
    const branchAt = action - 4
    const words = (code.readUInt32LE(branchAt) << 6) >> 6
    expect(code.readUInt32LE(branchAt) >>> 26).toBe(0b000101)
    expect(code.readUInt32LE(branchAt + words * 4)).toBe(0xd2800000)
  })

  it.runIf(process.platform === 'linux' && process.arch === 'x64')('runs, and lets its children go', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'berth-pause-'))
    try {
      const path = join(directory, 'pause')
      await writeFile(path, pauseProgram('amd64'), { mode: 0o755 })
      const child = spawn(path)
      await once(child, 'spawn')
      const ignored = 1n << 16n // SIGCHLD is signal 17
      let mask = 0n
      while ((mask & ignored) === 0n) {
        const status = await readFile(`/proc/${child.pid}/status`, 'utf8')
        mask = BigInt(`0x${/^SigIgn:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`)
      }
      child.kill('SIGCHLD')
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      expect(await ended).toEqual([null, 'SIGTERM'])
    } finally {
      await rm(directory, { recursive: true })
    }
  })
})
