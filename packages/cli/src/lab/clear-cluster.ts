import type { EcsClient } from '../ecs/ecs-client.ts'

/** Deregistrations under way at the same time. */
const concurrency = 16
const perPage = 100

/** Takes from a cluster what the lab has put there: its services and hosts, and with them their tasks. */
export async function clearCluster(ecs: EcsClient, cluster: string): Promise<void> {
  for (;;) {
    const { serviceArns } = await ecs<{ serviceArns: readonly string[] }>('ListServices', {
      cluster,
      maxResults: perPage,
    })
    if (serviceArns.length === 0) break
    for (const service of serviceArns) await ecs('DeleteService', { cluster, service, force: true })
  }
  for (;;) {
    const { containerInstanceArns } = await ecs<{ containerInstanceArns: readonly string[] }>(
      'ListContainerInstances',
      { cluster, maxResults: perPage },
    )
    if (containerInstanceArns.length === 0) return
    for (let at = 0; at < containerInstanceArns.length; at += concurrency)
      await Promise.all(
        containerInstanceArns
          .slice(at, at + concurrency)
          .map((containerInstance) => ecs('DeregisterContainerInstance', { cluster, containerInstance, force: true })),
      )
  }
}
