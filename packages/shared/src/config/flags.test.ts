import { expect, it } from 'vitest'
import { flagsOf } from './flags.ts'
import { setting, text } from './setting.ts'

const settings = {
  attribute: setting(text, { names: ['ATTRIBUTES'], flag: 'attribute', repeatable: true, help: '' }),
  zone: setting(text, { names: ['ZONE'], flag: 'zone', help: '' }),
}

it('reads options with their value beside them, behind a sign, or without one', () => {
  expect(flagsOf(['--zone', 'a', '--attribute=b=c', '--quiet'])).toEqual({ zone: 'a', attribute: 'b=c', quiet: 'true' })
})

it('puts the values of a repeatable option into one list, and takes the last of any other', () => {
  const argv = ['--attribute', 'a=1', '--zone', 'x', '--attribute', 'b=2', '--zone', 'y']
  expect(flagsOf(argv, settings)).toEqual({ attribute: 'a=1,b=2', zone: 'y' })
})
