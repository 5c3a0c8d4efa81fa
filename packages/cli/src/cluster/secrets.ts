import { randomBytes } from 'node:crypto'
import { newKeyPair } from '@berth/control-plane/trust/access-keys.ts'
import { z } from 'zod'
import { CliError } from '../cli-error.ts'
import type { DataDirectory } from './data-directory.ts'
import { makePrivate, readIfThere, replacePrivateFile } from './private-file.ts'

const accessKeysSchema = z
  .array(z.object({ accessKeyId: z.string().min(1), secretAccessKey: z.string().min(1), name: z.string() }))
  .min(1)
const secretsSchema = z.object({ agentToken: z.string().min(16), redisPassword: z.string().min(16) })

/** A key that AWS clients sign requests with. */
export type AccessKey = Readonly<z.infer<typeof accessKeysSchema>[number]>

/** What the processes of one cluster prove themselves to each other with. */
export type Secrets = Readonly<z.infer<typeof secretsSchema>>

/** The keys of a file. @throws CliError for what is no list of them. */
export const parseAccessKeys = (path: string, text: string): readonly AccessKey[] => parse(path, accessKeysSchema, text)

/** The keys that the API takes; a first one is made where there is none. */
export const readOrMakeAccessKeys = (directory: DataDirectory): readonly AccessKey[] =>
  readOrMake(directory.accessKeys, accessKeysSchema, () => [newAccessKey('root')])

export const readOrMakeSecrets = (directory: DataDirectory): Secrets =>
  readOrMake(directory.secrets, secretsSchema, () => ({
    agentToken: randomBytes(32).toString('hex'),
    redisPassword: randomBytes(32).toString('hex'),
  }))

/** A key of the form that AWS's have. */
export const newAccessKey = (name: string): AccessKey => ({ ...newKeyPair(), name })

function readOrMake<T>(path: string, schema: z.ZodType<T>, make: () => T): T {
  const text = readIfThere(path)
  if (text === undefined) {
    const made = make()
    replacePrivateFile(path, `${JSON.stringify(made, undefined, 2)}\n`)
    return made
  }
  makePrivate(path)
  return parse(path, schema, text)
}

function parse<T>(path: string, schema: z.ZodType<T>, text: string): T {
  try {
    return schema.parse(JSON.parse(text))
  } catch {
    // Without the cause, which would show parts of the secret.
    throw new CliError(`${path} is not what Berth keeps there. Put it right, or delete it to have new ones made.`)
  }
}
