import { randomBytes } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import type { Log } from '@berth/shared/log.ts'
import { makePrivateFile } from './private-file.ts'
import { secretKeyBytes } from './seal.ts'

/** The key that seals, and those that were exchanged for it and still open what they have sealed. */
export type SecretKeys = readonly [key: Buffer, ...older: Buffer[]]

/**
 * The keys for what is secret in the store, from the file at `path`: 64 hex digits a line, the one that seals first. Made with one key and mode
 * 0600 where there is none; of several processes that make it at once, one wins and all read the same.
 *
 * @throws Error for a file that holds anything else, or that others than its owner may read.
 */
export async function readOrMakeSecretKeys(path: string, log: Log): Promise<SecretKeys> {
  const there = await readKeys(path)
  if (there) return there
  await makePrivateFile(path, `${randomBytes(secretKeyBytes).toString('hex')}\n`)
  const made = await readKeys(path)
  if (!made) throw new Error(`${path} was deleted while it was made.`)
  log.info('made a secret key; keep a copy of it where no copy of Redis is', { path })
  return made
}

async function readKeys(path: string): Promise<SecretKeys | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const { mode } = await stat(path)
  if ((mode & 0o077) !== 0)
    throw new Error(`${path} can be read by others than its owner. Take that from them: chmod 600 ${path}`)
  const [key, ...older] = text.trim().split(/\s*\n\s*/)
  return [readKey(path, key), ...older.map((line) => readKey(path, line))]
}

function readKey(path: string, line = ''): Buffer {
  const key = Buffer.from(line, 'hex')
  if (key.length === secretKeyBytes && line.length === 2 * secretKeyBytes) return key
  throw new Error(`${path} holds no secret key: ${2 * secretKeyBytes} hex digits, and older ones a line each after it.`)
}
