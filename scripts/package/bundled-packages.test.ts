import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { bundledPackages, commentAtHead, filesByPackage, isAllowed } from './bundled-packages.ts'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'berth-bundled-'))
})
afterEach(() => rm(root, { recursive: true }))

/** Puts a package there, and gives the path of its one source file as a bundle has it. */
async function packageCalled(name: string, manifest: object, files: Readonly<Record<string, string>>): Promise<string> {
  const directory = `node_modules/.pnpm/x/node_modules/${name}`
  await mkdir(join(root, directory), { recursive: true })
  const all = { 'package.json': JSON.stringify({ name, version: '1.0.0', ...manifest }), 'main.js': '', ...files }
  for (const [file, text] of Object.entries(all)) await writeFile(join(root, directory, file), text)
  return `${directory}/main.js`
}

test.each([
  ['MIT', true],
  ['(Apache-2.0 AND BSD-3-Clause)', true],
  ['(GPL-3.0 OR MIT)', true],
  ['(GPL-3.0 AND MIT)', false],
  ['BUSL-1.1', false],
  ['SSPL-1.0', false],
  ['', false],
])('may what is under "%s" be part of a program: %s', (license, allowed) => {
  expect(isAllowed(license)).toBe(allowed)
})

test('files belong to the innermost package that they lie in', () => {
  const nested = 'node_modules/.pnpm/a@1/node_modules/a/node_modules/@scope/b'
  expect([...filesByPackage(['packages/cli/src/main.ts', `${nested}/x.js`, `${nested}/lib/y.js`])]).toEqual([
    [nested, [`${nested}/x.js`, `${nested}/lib/y.js`]],
  ])
})

test('packages are listed by name, with what they say of themselves', async () => {
  const inputs = [
    await packageCalled('with-file', { license: 'MIT' }, { 'LICENSE.md': 'The text.\n' }),
    await packageCalled(
      'in-readme',
      { licenses: [{ type: 'MIT' }] },
      { 'README.md': '# About\n\n## License\n\nHere.\n' },
    ),
    await packageCalled(
      'at-head',
      { license: 'BSD-3-Clause' },
      { 'main.js': '// Copyright somebody\n// All of it.\n\nx' },
    ),
    await packageCalled('brief', { license: 'ISC', author: { name: 'Ann' } }, {}),
  ]
  const found = await bundledPackages(root, inputs)
  expect(found.map(({ name, license, text }) => [name, license, text.split('\n')[0]])).toEqual([
    ['at-head', 'BSD-3-Clause', 'Copyright somebody'],
    ['brief', 'ISC', 'Copyright (c) Ann'],
    ['in-readme', 'MIT', '## License'],
    ['with-file', 'MIT', 'The text.'],
  ])
})

test('what may not be shipped, or says nothing, is refused, all of it at once', async () => {
  const inputs = [
    await packageCalled('shared-alike', { license: 'AGPL-3.0' }, { LICENSE: 'text' }),
    await packageCalled('silent', { license: 'MIT' }, {}),
    await packageCalled('fine', { license: 'MIT' }, { LICENSE: 'text' }),
  ]
  await expect(bundledPackages(root, inputs)).rejects.toThrow(
    /shared-alike 1\.0\.0 is under AGPL-3\.0\n.*silent 1\.0\.0 comes without the text/,
  )
})

test('a comment at the head ends where the source begins', () => {
  expect(commentAtHead('// one\n//\n// two\nconst x = 1 // three\n')).toBe('one\n\ntwo')
  expect(commentAtHead('x')).toBe('')
})
