import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '@berth/shared/log.ts'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readOrMakeSecretKeys } from './secret-key-file.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'berth-key-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

describe('the secret key file', () => {
  test('is made for its owner only, and read from then on', async () => {
    const path = join(directory, 'state', 'secret.key')
    const made = await readOrMakeSecretKeys(path, silentLog)
    expect(made.map(({ length }) => length)).toEqual([32])
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(await readOrMakeSecretKeys(path, silentLog)).toEqual(made)
  })

  test('is the same one for several that make it at once', async () => {
    const path = join(directory, 'secret.key')
    const keys = await Promise.all(Array.from({ length: 8 }, () => readOrMakeSecretKeys(path, silentLog)))
    expect(new Set(keys.map(([key]) => key.toString('hex'))).size).toBe(1)
    expect(readdirSync(directory)).toEqual(['secret.key'])
  })

  test('may hold older keys, a line each', async () => {
    const path = join(directory, 'secret.key')
    writeFileSync(path, `${'b'.repeat(64)}\n${'a'.repeat(64)}\n`, { mode: 0o600 })
    expect((await readOrMakeSecretKeys(path, silentLog)).map((key) => key.toString('hex'))).toEqual([
      'b'.repeat(64),
      'a'.repeat(64),
    ])
    writeFileSync(path, `${'b'.repeat(64)}\n${'a'.repeat(63)}\n`)
    await expect(readOrMakeSecretKeys(path, silentLog)).rejects.toThrow('holds no secret key')
  })

  test('is refused when others may read it, or when it holds no key', async () => {
    const path = join(directory, 'secret.key')
    writeFileSync(path, 'a'.repeat(64), { mode: 0o600 })
    chmodSync(path, 0o640)
    await expect(readOrMakeSecretKeys(path, silentLog)).rejects.toThrow(`chmod 600 ${path}`)
    writeFileSync(path, 'not a key')
    chmodSync(path, 0o600)
    await expect(readOrMakeSecretKeys(path, silentLog)).rejects.toThrow('holds no secret key: 64 hex digits')
  })
})
