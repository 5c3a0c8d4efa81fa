import type { PlanRebalancingAnswer } from '@berth/control-plane/api/berth/plan-rebalancing.ts'
import type { CommandContext } from '../command-context.ts'
import type { EcsClient } from '../ecs/ecs-client.ts'
import { rebalanceReport } from './rebalance-report.ts'

export interface RebalanceInput {
  readonly cluster?: string
  readonly goal?: string
  readonly budget?: number
  readonly dryRun?: boolean
  readonly json?: boolean
}

/** Shows which tasks of services would be moved and what that gains, and without `dryRun` has the control plane move them once. */
export async function rebalance(
  berth: EcsClient,
  { cluster, goal, budget, dryRun = false, json }: RebalanceInput,
  { out }: Pick<CommandContext, 'out'>,
): Promise<void> {
  const operation = dryRun ? 'PlanRebalancing' : 'RequestRebalancing'
  const answer = await berth<PlanRebalancingAnswer>(operation, { cluster, goal, budget })
  if (json === true) out(JSON.stringify(answer, undefined, 2))
  else for (const line of rebalanceReport(answer, dryRun)) out(line)
}
