import type { ContainerDefinition, ContainerOverride, EnvironmentFile, Secret } from '@aws-sdk/client-ecs'
import { ContainerResources, RepositoryCredentials } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { z } from 'zod'
import { parseEnvironmentFile, parseEnvironmentFileArn } from './environment-file.ts'
import { type EnvironmentFileStore, noEnvironmentFiles } from './environment-file-store.ts'
import { noSecretStore } from './file-secret-store.ts'
import { parseSecretReference, type SecretReference } from './secret-reference.ts'
import { ResourceError, type SecretStore } from './secret-store.ts'

/** Where what containers are given beside their definition comes from. */
export interface ResourceStores {
  readonly secrets: SecretStore
  readonly environmentFiles: EnvironmentFileStore
}

/** Where nothing can be fetched from: whatever a container asks for is missing, with a reason. */
export const noResourceStores: ResourceStores = { secrets: noSecretStore, environmentFiles: noEnvironmentFiles }

/** A container as its task has it: the definition's, and what the task overrides of it. */
export interface ContainerInTask {
  readonly declared: ContainerDefinition
  readonly override: ContainerOverride | undefined
}

/** Whether a host must ask before it can make the container. */
export const needsResources = ({ declared, override }: ContainerInTask): boolean =>
  (declared.secrets?.length ?? 0) > 0 ||
  (declared.logConfiguration?.secretOptions?.length ?? 0) > 0 ||
  declared.repositoryCredentials?.credentialsParameter !== undefined ||
  environmentFilesOf({ declared, override }).length > 0

/**
 * Fetches all that a container needs beside its definition, as it is at this moment.
 *
 * @throws ResourceError in the words that ECS shows behind `ResourceInitializationError: `.
 */
export async function containerResources(
  container: ContainerInTask,
  stores: ResourceStores,
  signal: AbortSignal,
): Promise<ContainerResources> {
  const { declared } = container
  const valuesOf = async (secrets: readonly Secret[]) =>
    Promise.all(
      secrets.map(async ({ name = '', valueFrom = '' }) => ({
        key: name,
        value: await secretValue(valueFrom, stores.secrets, signal),
      })),
    )
  const [fromFiles, secrets, logOptions, repositoryCredentials] = await Promise.all([
    variablesOfFiles(container, stores.environmentFiles, signal),
    valuesOf(declared.secrets ?? []),
    valuesOf(declared.logConfiguration?.secretOptions ?? []),
    credentialsOf(declared, stores.secrets, signal),
  ])
  return ContainerResources.fromPartial({
    environment: [...fromFiles, ...secrets],
    logOptions,
    ...(repositoryCredentials && { repositoryCredentials }),
  })
}

/** Those of an override take the place of the definition's, as ECS documents it. */
const environmentFilesOf = ({ declared, override }: ContainerInTask): readonly EnvironmentFile[] =>
  override?.environmentFiles ?? declared.environmentFiles ?? []

/** What the definition or an override says itself comes before any file, and an earlier file before a later one. */
async function variablesOfFiles(container: ContainerInTask, store: EnvironmentFileStore, signal: AbortSignal) {
  const { declared, override } = container
  const said = new Set([...(declared.environment ?? []), ...(override?.environment ?? [])].map(({ name }) => name))
  const files = await Promise.all(environmentFilesOf(container).map((file) => readFile(file, store, signal)))
  const variables = new Map<string, string>()
  for (const file of files)
    for (const [key, value] of file) if (!said.has(key) && !variables.has(key)) variables.set(key, value)
  return Array.from(variables, ([key, value]) => ({ key, value }))
}

async function readFile({ value = '' }: EnvironmentFile, store: EnvironmentFileStore, signal: AbortSignal) {
  const address = parseEnvironmentFileArn(value)
  if (address === undefined) throw filesError(value, 'it is not the ARN of an .env file')
  try {
    return parseEnvironmentFile(await store.read(address, signal))
  } catch (error) {
    if (error instanceof ResourceError) throw filesError(value, error.message)
    throw error
  }
}

/** `named`: what a plain name is the name of. */
async function secretValue(
  valueFrom: string,
  store: SecretStore,
  signal: AbortSignal,
  named: SecretReference['kind'] = 'parameter',
): Promise<string> {
  let reference: SecretReference
  try {
    reference = parseSecretReference(valueFrom, named)
  } catch (error) {
    throw secretsError((error as Error).message)
  }
  try {
    return await store.valueOf(reference, signal)
  } catch (error) {
    if (error instanceof ResourceError) throw secretsError(error.message)
    throw error
  }
}

const credentialsSchema = z.object({ username: z.string().min(1), password: z.string() })

async function credentialsOf(
  { repositoryCredentials }: ContainerDefinition,
  store: SecretStore,
  signal: AbortSignal,
): Promise<RepositoryCredentials | undefined> {
  const parameter = repositoryCredentials?.credentialsParameter
  if (parameter === undefined) return undefined
  const text = await secretValue(parameter, store, signal, 'secret')
  const credentials = credentialsSchema.safeParse(jsonOrNothing(text)).data
  if (credentials === undefined)
    throw secretsError(`secret ${parameter} is not of the form {"username": "...", "password": "..."}`)
  return RepositoryCredentials.fromPartial(credentials)
}

function jsonOrNothing(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const secretsError = (why: string): ResourceError =>
  new ResourceError(`unable to pull secrets or registry auth: ${why}`)

const filesError = (value: string, why: string): ResourceError =>
  new ResourceError(`failed to download env files: ${value}: ${why}`)
