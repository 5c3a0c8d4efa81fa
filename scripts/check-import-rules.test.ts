import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'berth-import-rules-'))
  plant('packages/shared/src/clock.ts', 'export const clock = 1\n')
})

afterEach(() => rmSync(root, { recursive: true }))

test('a tree that keeps the rules passes', () => {
  plant('packages/control-plane/src/main.ts', `import { clock } from '@berth/shared/clock.ts'`)
  expect(check()).toEqual({ status: 0, stderr: '' })
})

test('a planted violation is refused, in a file of any depth and in a type', () => {
  plant('packages/control-plane/src/api/ecs/deep/tasks.ts', `import type { R } from '../../../store/redis/commit.ts'`)
  const { status, stderr } = check()
  expect(status).toBe(1)
  expect(stderr).toContain('packages/control-plane/src/api/ecs/deep/tasks.ts:1: control-plane/api may not know')
})

test('a tree in which nothing is found is refused, rather than called clean', () => {
  rmSync(join(root, 'packages'), { recursive: true })
  expect(check()).toMatchObject({ status: 1 })
})

test('a file that does not parse is refused', () => {
  plant('packages/shared/src/broken.ts', 'import { from')
  expect(check()).toMatchObject({ status: 1, stderr: expect.stringContaining('does not parse') })
})

function plant(file: string, source: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true })
  writeFileSync(join(root, file), source)
}

function check(): { status: number | null; stderr: string } {
  const script = join(import.meta.dirname, 'check-import-rules.ts')
  const { status, stderr } = spawnSync(process.execPath, [script, root], { encoding: 'utf8' })
  return { status, stderr }
}
