import { clusterArn } from '@berth/shared/arn.ts'
import type { Cell } from './cell/cell.ts'
import type { ControlPlaneDeps } from './control-plane-deps.ts'

/** The cluster that ECS means where none is named. A new cell has it, so that its first hosts have somewhere to go. */
export async function ensureDefaultCluster(
  cell: Cell,
  { clock, scope }: Pick<ControlPlaneDeps, 'clock' | 'scope'>,
): Promise<void> {
  await cell.transact((tx) => {
    if (tx.tables.clusters.size > 0) return
    tx.put('clusters', 'default', {
      name: 'default',
      arn: clusterArn(scope, 'default'),
      status: 'ACTIVE',
      settings: [{ name: 'containerInsights', value: 'disabled' }],
      capacityProviders: [],
      defaultCapacityProviderStrategy: [],
      tags: {},
      createdAt: clock.now(),
    })
  })
}
