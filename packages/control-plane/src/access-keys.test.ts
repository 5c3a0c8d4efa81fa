import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '@berth/shared/log.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readAccessKeys } from './access-keys.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-access-keys-'))
})
afterEach(() => rm(directory, { recursive: true }))

const read = (name: string) => readAccessKeys(join(directory, name), '123456789012', silentLog)

test('where there is no file of keys, one is made, for its owner only, with a key of the account', async () => {
  const lookups = await Promise.all([read('a/keys.json'), read('a/keys.json'), read('a/keys.json')])
  const path = join(directory, 'a/keys.json')
  const [{ accessKeyId = '', secretAccessKey }] = JSON.parse(await readFile(path, 'utf8'))
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(accessKeyId).toMatch(/^AKIA[A-Z2-7]{16}$/)
  for (const lookUp of lookups)
    expect(lookUp(accessKeyId)).toEqual({ secretAccessKey, principalArn: 'arn:aws:iam::123456789012:root' })
})

test('a file that is there stays as it is', async () => {
  const text = '[{"accessKeyId":"AKIA1","secretAccessKey":"12345678","name":"ci"}]'
  await writeFile(join(directory, 'keys.json'), text, { mode: 0o600 })
  expect((await read('keys.json'))('AKIA1')?.principalArn).toBe('arn:aws:iam::123456789012:user/ci')
  expect(await readFile(join(directory, 'keys.json'), 'utf8')).toBe(text)
})

test('a file that is no list of keys is refused', async () => {
  await writeFile(join(directory, 'keys.json'), '{}')
  await expect(read('keys.json')).rejects.toThrow('is no list of access keys')
})
