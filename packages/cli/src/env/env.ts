import type { DataDirectory } from '../cluster/data-directory.ts'
import { isUp, readRunState, requireUp, type RunState } from '../cluster/run-state.ts'
import { type AccessKey, readOrMakeAccessKeys } from '../cluster/secrets.ts'
import { CliError } from '../cli-error.ts'
import type { CommandContext } from '../command-context.ts'
import { installedControlPlane } from '../ecs/installed-control-plane.ts'
import { shellWord } from '../shell-word.ts'

/**
 * Prints what makes the AWS clients of a shell talk to the cluster of `directory`, or while that is not up to the control plane that is a service
 * of this machine.
 *
 * @throws CliError where there is neither.
 */
export function env(directory: DataDirectory, { environment, out }: CommandContext): number {
  const there = readRunState(directory)
  const installed = there !== undefined && isUp(there) ? undefined : installedControlPlane()
  if (installed !== undefined) {
    environmentLines(installed, installed.key, environment, installed.caFile).forEach(out)
    return 0
  }
  const state = requireUp(directory)
  const [key] = readOrMakeAccessKeys(directory)
  if (key === undefined) throw new CliError(`${directory.accessKeys} has no key.`)
  environmentLines(state, key, environment, directory.ca).forEach(out)
  return 0
}

/**
 * Commands for a POSIX shell. The region has two names, since AWS's clients do not agree on one; a session token of other
 * credentials would be sent along with these, and is taken away.
 */
export function environmentLines(
  state: Pick<RunState, 'endpoint' | 'region'>,
  key: AccessKey,
  current: NodeJS.ProcessEnv,
  caFile: string | undefined,
): readonly string[] {
  const variables = {
    AWS_ENDPOINT_URL: state.endpoint,
    AWS_ACCESS_KEY_ID: key.accessKeyId,
    AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
    AWS_DEFAULT_REGION: state.region,
    AWS_REGION: state.region,
    // The latter is for the SDK for JavaScript, which knows no other way.
    ...(state.endpoint.startsWith('https:') &&
      caFile !== undefined && { AWS_CA_BUNDLE: caFile, NODE_EXTRA_CA_CERTS: caFile }),
  }
  const exports = Object.entries(variables).map(([name, value]) => `export ${name}=${shellWord(value)}`)
  return current['AWS_SESSION_TOKEN'] ? [...exports, 'unset AWS_SESSION_TOKEN'] : exports
}
