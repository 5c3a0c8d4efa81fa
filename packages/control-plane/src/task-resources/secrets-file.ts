import { z } from 'zod'
import { ResourceError } from './secret-store.ts'
import type { SecretReference } from './secret-reference.ts'

/** A text, or an object that is kept as the JSON text of it. */
const secretValue = z.union([z.string(), z.record(z.string(), z.unknown())])

const secretVersion = z.object({
  id: z.string().min(1),
  stages: z.array(z.string().min(1)).default([]),
  value: secretValue,
})

/** The file of `BERTH_SECRETS_FILE`. */
const secretsFileSchema = z.strictObject({
  parameters: z.record(z.string(), z.string()).default({}),
  secrets: z
    .record(
      z.string(),
      z.union([
        z.string(),
        z.strictObject({ value: secretValue }),
        z.strictObject({ versions: z.array(secretVersion).min(1) }),
      ]),
    )
    .default({}),
})

export type SecretsFile = z.infer<typeof secretsFileSchema>

/** @throws Error that says where the text is no file of secrets, without any of its values. */
export function parseSecretsFile(text: string): SecretsFile {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    // What JSON.parse says holds a piece of the text.
    throw new Error('it is not JSON')
  }
  const parsed = secretsFileSchema.safeParse(json)
  if (parsed.success) return parsed.data
  throw new Error(
    parsed.error.issues.map(({ path }) => `${path.join('.') || 'it'} is not of the documented form`).join('; '),
  )
}

/**
 * The value that a reference has in the file.
 *
 * @throws ResourceError in the words of AWS.
 */
export function lookUpSecret(file: SecretsFile, reference: SecretReference): string {
  if (reference.kind === 'parameter') return lookUpParameter(file, reference.name)
  const text = secretText(file, reference)
  return reference.jsonKey === undefined ? text : memberOf(text, reference.name, reference.jsonKey)
}

/** A name with and without its first slash is one parameter: an ARN cannot tell them apart. */
function lookUpParameter({ parameters }: SecretsFile, name: string): string {
  const other = name.startsWith('/') ? name.slice(1) : `/${name}`
  const value = own(parameters, name) ?? own(parameters, other)
  if (value !== undefined) return value
  throw new ResourceError(
    `execution resource retrieval failed: unable to retrieve secrets from ssm: invalid parameters: ${name}`,
  )
}

type Reference = Extract<SecretReference, { kind: 'secret' }>

function secretText({ secrets }: SecretsFile, { name, versionStage, versionId }: Reference): string {
  const secret = own(secrets, name) ?? own(secrets, name.replace(/-[A-Za-z0-9]{6}$/, ''))
  if (secret === undefined) throw notFound("Secrets Manager can't find the specified secret.")
  if (typeof secret === 'string') return onlyVersion(secret, versionStage, versionId)
  if ('value' in secret) return onlyVersion(textOf(secret.value), versionStage, versionId)
  const stage = versionStage ?? (versionId === undefined ? current : undefined)
  const found = secret.versions.find(
    (version) =>
      (versionId === undefined || version.id === versionId) && (stage === undefined || version.stages.includes(stage)),
  )
  if (found === undefined) throw noVersion(versionStage, versionId)
  return textOf(found.value)
}

const current = 'AWSCURRENT'

/** A secret that was written down without versions has its current one. */
function onlyVersion(text: string, versionStage: string | undefined, versionId: string | undefined): string {
  if (versionId !== undefined || (versionStage !== undefined && versionStage !== current))
    throw noVersion(versionStage, versionId)
  return text
}

function memberOf(text: string, name: string, key: string): string {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    json = undefined
  }
  if (typeof json !== 'object' || json === null || !Object.hasOwn(json, key))
    throw new ResourceError(
      `execution resource retrieval failed: unable to retrieve secret from asm: retrieved secret from Secrets Manager did not contain json key ${key} (secret ${name})`,
    )
  return textOf((json as Readonly<Record<string, unknown>>)[key])
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

const own = <T>(record: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined

const notFound = (what: string): ResourceError =>
  new ResourceError(
    `execution resource retrieval failed: unable to retrieve secret from asm: ResourceNotFoundException: ${what}`,
  )

const noVersion = (stage: string | undefined, id: string | undefined): ResourceError =>
  notFound(
    `Secrets Manager can't find the specified secret value for ${id === undefined ? `staging label: ${stage ?? current}` : `VersionId: ${id}`}`,
  )
