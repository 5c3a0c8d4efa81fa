import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { revision, version, versionLine } from './release.ts'

it.each(['.', 'packages/agent', 'packages/cli', 'packages/control-plane', 'packages/shared'])(
  'the version is that of package.json in %s',
  (folder) => {
    const text = readFileSync(new URL(`../../../${folder}/package.json`, import.meta.url), 'utf8')
    expect((JSON.parse(text) as { version: string }).version).toBe(version)
  },
)

it('the sources say that they are not a package', () => {
  expect(revision).toBe('sources')
  expect(versionLine('berth')).toBe(`berth ${version} (sources)`)
})
