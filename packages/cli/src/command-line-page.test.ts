import { readFileSync } from 'node:fs'
import { seededRandom } from '@berth/shared/random.ts'
import { virtualClock } from '@berth/shared/virtual-clock.ts'
import { expect, test } from 'vitest'
import { defaultClusterSettings } from './cluster/cluster-settings.ts'
import { berthProgram } from './program.ts'

const page = readFileSync(new URL('../../../docs/command-line.md', import.meta.url), 'utf8')
const nothing = () => undefined
const program = berthProgram(
  { environment: {}, clock: virtualClock(), random: seededRandom(1), out: nothing, err: nothing },
  nothing,
)

test.each(program.commands.map((command) => [command.name(), command] as const))(
  'berth %s and its options are documented',
  (name, command) => {
    expect(page).toContain(`## berth ${name}\n`)
    for (const { long, envVar } of command.options) {
      expect(page).toContain(`\`${long}\``)
      if (envVar !== undefined) expect(page).toContain(`\`${envVar}\``)
    }
  },
)

test('no option is documented that there is not', () => {
  const known = new Set(program.commands.flatMap((command) => command.options.map(({ long }) => long)))
  const documented = [...page.matchAll(/^\| `(--[a-z-]+)`/gm)].map(([, flag]) => flag)
  expect(documented.length).toBeGreaterThan(10)
  expect(documented.filter((flag) => !known.has(flag))).toEqual([])
})

test.each(['hosts', 'port', 'account', 'region', 'cluster', 'redisFsync', 'logLevel'] as const)(
  'the default of %s is the documented one',
  (name) => {
    const flag = name.replaceAll(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`)
    const row = page.split('\n').find((line) => line.startsWith(`| \`--${flag}\` |`))
    expect(row?.split(' | ')[3]).toBe(`\`${defaultClusterSettings[name]}\``)
  },
)
