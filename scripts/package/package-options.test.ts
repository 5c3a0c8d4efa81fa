import { expect, test } from 'vitest'
import { packageOptions } from './package-options.ts'

test('packages are for machines such as this one, where nobody says', () => {
  expect(packageOptions([], 'arm64')).toEqual({
    machines: ['arm64'],
    out: 'dist/packages',
    version: undefined,
    quick: false,
  })
})

test('what is asked for is read', () => {
  expect(packageOptions(['--arch', 'all', '--out', 'x', '--version', '0.1.1', '--quick'], 'x64')).toEqual({
    machines: ['x64', 'arm64'],
    out: 'x',
    version: '0.1.1',
    quick: true,
  })
})

test('an unknown kind of machine, and an unknown option, are refused', () => {
  expect(() => packageOptions(['--arch', 'riscv64'])).toThrow('There are packages for x64 and arm64, not for riscv64.')
  expect(() => packageOptions(['--signed'])).toThrow('--signed')
})
