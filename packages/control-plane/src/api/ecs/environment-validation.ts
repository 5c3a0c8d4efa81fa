import type { ContainerDefinition, EnvironmentFile } from '@aws-sdk/client-ecs'
import { parseEnvironmentFileArn } from '../../task-resources/environment-file.ts'
import { parseSecretReference } from '../../task-resources/secret-reference.ts'
import { clientException } from '../errors.ts'

/** ECS's own limit. */
const filesPerContainer = 10

/**
 * Refuses variables, secrets and files of variables that are none, in ECS's words where they are known.
 *
 * @throws ClientException
 */
export function validateEnvironment(name: string, container: ContainerDefinition): void {
  const { environment = [], secrets = [], environmentFiles = [], logConfiguration, repositoryCredentials } = container
  const refuse = (field: string, why: string) =>
    clientException(`Invalid '${field}' setting for container '${name}'. ${why}`)
  for (const { name: variable } of environment)
    if (variable === undefined || variable === '' || variable.includes('='))
      throw refuse('environment', 'The name of a variable cannot be empty or contain an equals sign.')
  const taken = new Set(environment.map((variable) => variable.name))
  for (const { name: secret, valueFrom } of secrets) {
    if (secret === undefined || secret === '' || secret.includes('='))
      throw refuse('secrets', 'The name of a secret cannot be empty or contain an equals sign.')
    if (taken.has(secret))
      throw clientException(
        `The secret name must be unique and not shared with any new or existing environment variables set on the container, such as '${secret}'.`,
      )
    taken.add(secret)
    assertReference(valueFrom, (why) => refuse('secrets', why))
  }
  for (const { valueFrom } of logConfiguration?.secretOptions ?? [])
    assertReference(valueFrom, (why) => refuse('logConfiguration.secretOptions', why))
  if (repositoryCredentials !== undefined)
    assertReference(repositoryCredentials.credentialsParameter, (why) => refuse('repositoryCredentials', why))
  const problem = environmentFilesProblem(environmentFiles)
  if (problem !== undefined) throw refuse('environmentFiles', problem)
}

function assertReference(valueFrom: string | undefined, refuse: (why: string) => Error): void {
  if (valueFrom === undefined || valueFrom === '') throw refuse("'valueFrom' should not be null or empty.")
  try {
    parseSecretReference(valueFrom)
  } catch (error) {
    throw refuse(`${(error as Error).message}.`)
  }
}

/** What is wrong with a list of environment files, in a sentence; `undefined` for nothing. */
export function environmentFilesProblem(files: readonly EnvironmentFile[]): string | undefined {
  if (files.length > filesPerContainer) return `At most ${filesPerContainer} files can be specified.`
  for (const { type, value = '' } of files) {
    if (type !== 's3') return `The type '${type}' is not 's3'.`
    if (parseEnvironmentFileArn(value) === undefined)
      return `'${value}' is not the ARN of an S3 object whose name ends in .env.`
  }
  return undefined
}
