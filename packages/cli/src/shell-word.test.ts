import { execFileSync } from 'node:child_process'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { shellWord } from './shell-word.ts'

test('a plain word stays as it is', () => {
  expect(shellWord('http://127.0.0.1:4566')).toBe('http://127.0.0.1:4566')
  expect(shellWord('')).toBe("''")
})

test('the shell reads every text back as it was', () => {
  const texts = fc.sample(fc.string({ unit: 'grapheme' }), 200).filter((text) => !text.includes('\0'))
  const read = execFileSync('sh', ['-c', `printf '%s\\0' ${[...texts, 'end'].map(shellWord).join(' ')}`], {
    encoding: 'utf8',
  })
  expect(read).toBe([...texts, 'end', ''].join('\0'))
})
