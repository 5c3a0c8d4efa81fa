import { readFileSync } from 'node:fs'
import type { DataDirectory } from '../cluster/data-directory.ts'
import { readIfThere } from '../cluster/private-file.ts'
import { isUp, readRunState, requireUp } from '../cluster/run-state.ts'
import { readOrMakeAccessKeys } from '../cluster/secrets.ts'
import { CliError } from '../cli-error.ts'
import { installedControlPlane } from './installed-control-plane.ts'
import { type EcsClient, ecsClient, type EcsEndpoint, type EndpointApi } from './ecs-client.ts'

/** Berth's own API, for what ECS has no word for. */
export const berthApi: EndpointApi = { scope: 'berth', targetPrefix: 'Berth_20261101' }

/** A client of Berth's own API at the `clusterEndpoint`. */
export const berthClient = (directory: DataDirectory, environment: NodeJS.ProcessEnv): EcsClient =>
  ecsClient(clusterEndpoint(directory, environment), berthApi)

/**
 * Where commands find a cluster: the one that is up in `directory`, else the one that the environment names as for any AWS client
 * (`AWS_ENDPOINT_URL`, a key, a region, `AWS_CA_BUNDLE`), else the control plane that is a service of this machine.
 *
 * @throws CliError when there is none.
 */
export function clusterEndpoint(directory: DataDirectory, environment: NodeJS.ProcessEnv): EcsEndpoint {
  const state = readRunState(directory)
  const named = state !== undefined && isUp(state) ? undefined : (endpointNamed(environment) ?? installedControlPlane())
  if (named !== undefined) return named
  const { endpoint, region } = requireUp(directory)
  const [key] = readOrMakeAccessKeys(directory)
  if (key === undefined) throw new CliError(`${directory.accessKeys} has no key.`)
  return { endpoint, region, key, ca: readIfThere(directory.ca) }
}

function endpointNamed(environment: NodeJS.ProcessEnv): EcsEndpoint | undefined {
  const endpoint = environment['AWS_ENDPOINT_URL_ECS'] ?? environment['AWS_ENDPOINT_URL']
  const accessKeyId = environment['AWS_ACCESS_KEY_ID']
  const secretAccessKey = environment['AWS_SECRET_ACCESS_KEY']
  const region = environment['AWS_REGION'] ?? environment['AWS_DEFAULT_REGION']
  if (!endpoint || !accessKeyId || !secretAccessKey || !region) return undefined
  const bundle = environment['AWS_CA_BUNDLE']
  const ca = bundle ? readFileSync(bundle, 'utf8') : undefined
  return { endpoint, region, key: { accessKeyId, secretAccessKey, name: 'environment' }, ca }
}
