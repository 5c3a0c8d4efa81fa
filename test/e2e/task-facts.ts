import type { Task } from '@aws-sdk/client-ecs'
import Docker from 'dockerode'
import { webPage } from './test-images.ts'

/** The address that a task has by its network interface, as the attachment tells it. */
export function addressOf(task: Task): string | undefined {
  const attachment = task.attachments?.find(({ type }) => type === 'ElasticNetworkInterface')
  return attachment?.details?.find(({ name }) => name === 'privateIPv4Address')?.value
}

/** The same, as a container tells it. */
export const containerAddressOf = (task: Task): string | undefined =>
  task.containers?.[0]?.networkInterfaces?.[0]?.privateIpv4Address

/** Where the first container's port is reached on its host, as `127.64.0.1:8080`. */
export function hostPortOf(task: Task): string {
  const binding = task.containers?.[0]?.networkBindings?.[0]
  return `${binding?.bindIP}:${binding?.hostPort}`
}

/** What the web server of the test image answers there, if it does. */
export const pageAt = async (address: string): Promise<string> =>
  (await fetch(`http://${address}/`, { signal: AbortSignal.timeout(2000) })).text()

export const isTestPage = (page: string): true | undefined => (page === webPage ? true : undefined)

/** Docker's ids of a task's containers, without that which holds its network. */
export const runtimeIds = (tasks: readonly Task[]): string[] =>
  tasks.flatMap(({ containers }) => (containers ?? []).map(({ runtimeId }) => runtimeId ?? '')).toSorted()

/** When each container was last started, by its id. It changes with every start, and never else. */
export async function startTimes(docker: Docker, ids: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const inspected = await Promise.all(ids.map((id) => docker.getContainer(id).inspect()))
  return Object.fromEntries(
    inspected.map(({ Id, State }) => [Id, `${State.Running ? 'running' : State.Status} since ${State.StartedAt}`]),
  )
}
