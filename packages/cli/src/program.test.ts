import { version } from '@berth/shared/release.ts'
import { virtualClock } from '@berth/shared/virtual-clock.ts'
import { seededRandom } from '@berth/shared/random.ts'
import { describe, expect, test } from 'vitest'
import { dataDirectoryAt } from './cluster/data-directory.ts'
import { shells, completionScript } from './completion/completion-script.ts'
import { berthProgram, foregroundArgs } from './program.ts'

/** A program that reads its arguments but, where it can, does not act on them. */
function quietProgram() {
  const lines: string[] = []
  const out = (line: string) => void lines.push(line)
  const context = { environment: {}, clock: virtualClock(), random: seededRandom(1), out, err: out }
  const program = berthProgram(context, () => undefined)
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ writeErr: out, writeOut: out })
  }
  return { program, lines }
}

/** What `berth up` would be told. */
async function saidToUp(...args: string[]): Promise<unknown> {
  const { program } = quietProgram()
  const up = program.commands.find((command) => command.name() === 'up')
  let said: unknown
  up?.action((options: unknown) => {
    said = options
  })
  await program.parseAsync(['up', ...args], { from: 'user' })
  return said
}

describe('berth up', () => {
  test('is told what was said, and nothing else', async () => {
    expect(await saidToUp('--data-dir', 'd')).toEqual({ dataDir: 'd' })
    expect(
      await saidToUp('-d', '--data-dir', 'd', '--hosts', '5', '--port', '0', '--zones', 'a, b', '--cpu', '512'),
    ).toEqual({ detach: true, dataDir: 'd', hosts: 5, port: 0, zones: ['a', 'b'], cpu: 512 })
  })

  test.each([
    ['--hosts', '0'],
    ['--hosts', '251'],
    ['--hosts', '2.5'],
    ['--port', '65536'],
    ['--port', '-1'],
    ['--account', '12345'],
    ['--region', 'Frankfurt'],
    ['--cluster', 'my cluster'],
    ['--zones', 'a,,b'],
    ['--redis-fsync', 'never'],
    ['--cpu', '1'],
  ])('%s %s is a mistake that is named', async (flag, value) => {
    await expect(saidToUp(`${flag}=${value}`)).rejects.toThrow(flag)
  })

  test('is called again, in the background, with what was said', async () => {
    const said = { hosts: 5, zones: ['a', 'b'], redisFsync: 'everysec' as const, logLevel: 'warn' as const }
    const args = foregroundArgs(dataDirectoryAt('/d'), said)
    expect(await saidToUp(...args.slice(1))).toEqual({ dataDir: '/d', ...said })
  })
})

test('the version is that of the package', async () => {
  const { program, lines } = quietProgram()
  await program.parseAsync(['version'], { from: 'user' })
  expect(lines).toEqual([version])
  expect(version).toMatch(/^\d+\.\d+\.\d+/)
})

test('every command has a description, and its options have', () => {
  const { program } = quietProgram()
  for (const command of program.commands) {
    expect(command.description()).toMatch(/\.$/)
    for (const option of command.options) expect(option.description).not.toBe('')
  }
})

describe('completion', () => {
  test.each(shells)('for %s knows every command and option', (shell) => {
    const { program } = quietProgram()
    const script = completionScript(program, shell)
    for (const command of program.commands) {
      expect(script).toContain(command.name())
      for (const { long } of command.options) expect(script).toContain(shell === 'fish' ? `-l ${long?.slice(2)}` : long)
    }
  })
})
