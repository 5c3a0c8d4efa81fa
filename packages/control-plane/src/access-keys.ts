import { readFile, stat } from 'node:fs/promises'
import type { Log } from '@berth/shared/log.ts'
import { z } from 'zod'
import type { Credential, CredentialLookup } from './api/sigv4.ts'
import { newKeyPair } from './trust/access-keys.ts'
import { makePrivateFile } from './trust/private-file.ts'

const accessKeysSchema = z.array(
  z.object({
    accessKeyId: z.string().regex(/^[A-Za-z0-9_]{4,128}$/),
    secretAccessKey: z.string().min(8),
    /** Who holds it; shown as `user/<name>`. */
    name: z.string().regex(/^[\w+=,.@-]{1,64}$/),
  }),
)

/**
 * The access keys of a file, for looking up who signed a request. Where there is no such file it is made, with a first key, which is the account's own
 * (`root`).
 *
 * @throws Error that says what is wrong with the file.
 */
export async function readAccessKeys(path: string, account: string, log: Log): Promise<CredentialLookup> {
  const keys = accessKeysSchema.safeParse(parse(await readOrMake(path, log), path))
  if (!keys.success) throw new Error(`${path} is no list of access keys: ${z.prettifyError(keys.error)}`)
  const { mode } = await stat(path)
  if ((mode & 0o077) !== 0) log.warn('the access keys can be read by others than their owner', { path })
  const byId = new Map<string, Credential>(
    keys.data.map(({ accessKeyId, secretAccessKey, name }) => [
      accessKeyId,
      {
        secretAccessKey,
        principalArn: name === 'root' ? `arn:aws:iam::${account}:root` : `arn:aws:iam::${account}:user/${name}`,
      },
    ]),
  )
  return (accessKeyId) => byId.get(accessKeyId)
}

async function readOrMake(path: string, log: Log): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  await makePrivateFile(path, `${JSON.stringify([{ ...newKeyPair(), name: 'root' }], undefined, 2)}\n`)
  log.info('made a first access key', { path })
  return readFile(path, 'utf8')
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`${path} is not JSON`, { cause: error })
  }
}
