import type { ContainerInstance, Task } from '@aws-sdk/client-ecs'
import { type EcsClient, ecsClient } from '@berth/cli/ecs/ecs-client.ts'
import { eventually } from '../e2e/eventually.ts'
import type { Machine } from './machine.ts'

/** A cluster whose control plane is installed on a machine, as a client elsewhere sees it. */
export interface InstalledCluster {
  /** `https://address:port` */
  readonly api: string
  readonly ecs: EcsClient
  hosts(): Promise<readonly ContainerInstance[]>
  /** The one host, once it is connected. */
  connectedHost(): Promise<ContainerInstance>
  task(arn: string): Promise<Task>
}

/** By what `berth env` says on the machine: which address and key, and the roots that it is known by. */
export async function installedCluster(machine: Machine): Promise<InstalledCluster> {
  const told = await eventually('the control plane was started', async () => variablesIn(await machine.sh('berth env')))
  const address = (await machine.sh('hostname -i')).trim()
  const api = (told['AWS_ENDPOINT_URL'] ?? '').replace('localhost', address)
  const ca = await eventually('its roots', () => machine.sh(`cat ${told['AWS_CA_BUNDLE']}`))
  const key = {
    accessKeyId: told['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: told['AWS_SECRET_ACCESS_KEY'] ?? '',
    name: 'root',
  }
  const ecs = ecsClient({ endpoint: api, region: told['AWS_REGION'] ?? '', key, ca })
  const hosts = async () => {
    const { containerInstanceArns } = await ecs<{ containerInstanceArns: string[] }>('ListContainerInstances', {})
    if (containerInstanceArns.length === 0) return []
    const asked = { containerInstances: containerInstanceArns }
    return (await ecs<{ containerInstances: ContainerInstance[] }>('DescribeContainerInstances', asked))
      .containerInstances
  }
  const cluster: InstalledCluster = {
    api,
    ecs,
    hosts,
    connectedHost: () =>
      eventually('the host is connected', async () => {
        const [host] = await hosts()
        return host?.agentConnected === true ? host : undefined
      }),
    async task(arn) {
      const { tasks } = await ecs<{ tasks: Task[] }>('DescribeTasks', { tasks: [arn] })
      const [task] = tasks
      if (task === undefined) throw new Error(`there is no task ${arn}`)
      return task
    },
  }
  await eventually('the control plane leads', () => ecs('ListClusters', {}))
  return cluster
}

const variablesIn = (script: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...script.matchAll(/^export (\w+)='?(.*?)'?$/gm)].map(([, name = '', value = '']) => [name, value]),
  )
