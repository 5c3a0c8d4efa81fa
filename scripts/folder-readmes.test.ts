import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')

/** A folder of more files than this says in a README what may live in it. */
const fewFiles = 10

const tracked = spawnSync('git', ['ls-files', '-co', '--exclude-standard', 'packages', 'test', 'scripts'], {
  cwd: root,
  encoding: 'utf8',
}).stdout.split('\n')
const sources = tracked.filter((file) => file.endsWith('.ts') && !file.includes('/gen/') && !file.includes('/testing/'))
const readmes = tracked.filter((file) => basename(file) === 'README.md')

test('a folder of many files says what may live in it', () => {
  const folders = Map.groupBy(sources, dirname)
  const silent = [...folders].filter(
    ([folder, files]) => files.length > fewFiles && !existsSync(join(root, folder, 'README.md')),
  )
  expect(folders.size).toBeGreaterThan(50)
  expect(silent.map(([folder]) => folder)).toEqual([])
})

test.each(readmes)('%s names files that exist', (readme) => {
  const text = readFileSync(join(root, readme), 'utf8')
  const named = [...text.matchAll(/(?<![\w/*.-])[\w./-]+\.(?:ts|sh|md)\b/g)].map(([name]) => name)
  const nearby = (name: string) => sources.some((file) => file.startsWith(dirname(readme)) && file.endsWith(`/${name}`))
  const isThere = (name: string) =>
    [dirname(readme), join(dirname(readme), '..'), 'docs/architecture', '.'].some((base) =>
      existsSync(join(root, base, name)),
    ) || nearby(name)
  expect(named.filter((name) => !isThere(name))).toEqual([])
})
