import { until } from '../engine/until.ts'
import type { SignedClient } from '../lab/signed-client.ts'
import { engineTime } from './container-events.ts'

interface ServiceView {
  readonly runningCount: number
  readonly deployments: readonly { readonly id: string; readonly status: string; readonly rolloutState: string }[]
}

/** A service as its user sees it, by the API and nothing else. */
export interface ServiceClient {
  /** Resolves with the id of the deployment that begins. */
  create(name: string, taskDefinition: string, desiredCount: number): Promise<string>
  update(name: string, taskDefinition: string): Promise<string>
  remove(name: string): Promise<void>
  /** Resolves when describe-services shows the deployment COMPLETED with so many running, with the time at which that was asked. */
  untilCompleted(name: string, deployment: string, runningCount: number): Promise<number>
}

/** How often is asked: often enough for the figures, and not so often that the questions take the CPU. */
const askEveryMs = 10

export function serviceClient(client: SignedClient): ServiceClient {
  const primaryOf = ({ service }: { readonly service: ServiceView }): string =>
    service.deployments.find(({ status }) => status === 'PRIMARY')?.id ?? ''
  return {
    create: async (serviceName, taskDefinition, desiredCount) =>
      primaryOf(await client.call('CreateService', { serviceName, taskDefinition, desiredCount, launchType: 'EC2' })),
    update: async (service, taskDefinition) =>
      primaryOf(await client.call('UpdateService', { service, taskDefinition })),
    async remove(service) {
      await client.call('DeleteService', { service, force: true })
    },
    untilCompleted: (name, deployment, runningCount) =>
      until(
        `${name} to complete`,
        async () => {
          const askedAt = engineTime()
          const { services } = await client.call<{ services: readonly ServiceView[] }>('DescribeServices', {
            services: [name],
          })
          const [service] = services
          const own = service?.deployments.find(({ id }) => id === deployment)
          return own?.rolloutState === 'COMPLETED' && service?.runningCount === runningCount ? askedAt : undefined
        },
        { everyMs: askEveryMs },
      ),
  }
}
