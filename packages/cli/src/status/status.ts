import type { DataDirectory } from '../cluster/data-directory.ts'
import { readIfThere } from '../cluster/private-file.ts'
import { isSupervised, requireUp } from '../cluster/run-state.ts'
import { readOrMakeAccessKeys } from '../cluster/secrets.ts'
import { CliError } from '../cli-error.ts'
import type { CommandContext } from '../command-context.ts'
import { ecsClient } from '../ecs/ecs-client.ts'
import { httpRequest } from '../ecs/http-request.ts'
import { readClusterView, type StoreReturnView } from './cluster-view.ts'
import { statusReport } from './status-report.ts'

/** Shows what a cluster consists of and does. @throws CliError while it is not up, or its API does not answer. */
export async function status(
  { directory, json }: { readonly directory: DataDirectory; readonly json: boolean },
  { clock, out }: CommandContext,
): Promise<number> {
  const state = requireUp(directory)
  const [key] = readOrMakeAccessKeys(directory)
  if (key === undefined) throw new CliError(`${directory.accessKeys} has no key.`)
  const ca = readIfThere(directory.ca)
  const ecs = ecsClient({ endpoint: state.endpoint, region: state.region, key, ca })
  const cluster = await readClusterView(state, isSupervised(state), ecs, clock.now())
  const storeReturn = await readStoreReturn(state.endpoint, ca)
  const view = { ...cluster, ...(storeReturn !== undefined && { storeReturn }) }
  if (json) out(JSON.stringify(view, undefined, 2))
  else statusReport(view).forEach(out)
  return 0
}

/** What the health page says of a store that went back. */
async function readStoreReturn(endpoint: string, ca: string | undefined): Promise<StoreReturnView | undefined> {
  const url = new URL('/_berth/health', endpoint)
  const answer = await httpRequest({ method: 'GET', url, timeoutMs: 5000, ...(ca !== undefined && { ca }) })
  return (JSON.parse(answer.body) as { readonly storeReturn?: StoreReturnView }).storeReturn
}
