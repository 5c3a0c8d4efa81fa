import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '@berth/shared/log.ts'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readOrMakeSecretKey } from './secret-key-file.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'berth-key-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

describe('the secret key file', () => {
  test('is made for its owner only, and read from then on', async () => {
    const path = join(directory, 'state', 'secret.key')
    const made = await readOrMakeSecretKey(path, silentLog)
    expect(made).toHaveLength(32)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(await readOrMakeSecretKey(path, silentLog)).toEqual(made)
  })

  test('is the same one for several that make it at once', async () => {
    const path = join(directory, 'secret.key')
    const keys = await Promise.all(Array.from({ length: 8 }, () => readOrMakeSecretKey(path, silentLog)))
    expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(1)
    expect(readdirSync(directory)).toEqual(['secret.key'])
  })

  test('is refused when others may read it, or when it holds no key', async () => {
    const path = join(directory, 'secret.key')
    writeFileSync(path, 'a'.repeat(64), { mode: 0o600 })
    chmodSync(path, 0o640)
    await expect(readOrMakeSecretKey(path, silentLog)).rejects.toThrow(`chmod 600 ${path}`)
    writeFileSync(path, 'not a key')
    chmodSync(path, 0o600)
    await expect(readOrMakeSecretKey(path, silentLog)).rejects.toThrow('holds no secret key: 64 hex digits')
  })
})
