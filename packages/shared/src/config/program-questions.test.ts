import { expect, it } from 'vitest'
import { version } from '../release.ts'
import { answerTo, type SettledProgram } from './program-questions.ts'
import { optional, setting, text } from './setting.ts'

const program: SettledProgram = {
  name: 'berth-thing',
  about: 'Does a thing.',
  files: ['/etc/thing.env'],
  commands: [['berth-thing join', 'join something']],
  settings: {
    server: setting(text, { names: ['SERVER'], flag: 'server', required: true, help: 'Where `it` is.' }),
    zone: optional(text, { names: ['ZONE', 'OLD_ZONE'], help: 'The zone.' }),
  },
}

it.each(['--version', '-V'])('%s is answered with name, version and revision', (flag) => {
  expect(answerTo(['--server', 'x', flag], program)).toBe(`berth-thing ${version} (sources)`)
})

it.each(['--help', '-h'])('%s is answered with every setting', (flag) => {
  const help = answerTo([flag], program)
  expect(help).toContain('berth-thing join')
  expect(help).toContain('--no-files')
  expect(help).toContain('  --server <value>, SERVER\n      Where it is.\n      text; required')
  expect(help).toContain('  ZONE, OLD_ZONE\n      The zone.\n      text; unset by default')
})

it('answers nothing to a program that is to run', () => {
  expect(answerTo(['--server', 'x'], program)).toBeUndefined()
})
