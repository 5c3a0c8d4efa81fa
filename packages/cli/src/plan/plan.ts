import type { PlanTasksAnswer } from '@berth/control-plane/api/berth/plan-tasks.ts'
import { CliError } from '../cli-error.ts'
import type { CommandContext } from '../command-context.ts'
import type { EcsClient } from '../ecs/ecs-client.ts'
import type { AddedHost, Constraint, StrategyStep } from './plan-input.ts'
import { planReport } from './plan-report.ts'

export interface PlanRequest {
  readonly cluster?: string
  readonly taskDefinition?: string
  readonly count?: number
  readonly launchType?: string
  readonly strategy?: readonly StrategyStep[]
  readonly constraint?: readonly Constraint[]
  readonly group?: string
  readonly withoutHost?: readonly string[]
  readonly addHost?: readonly AddedHost[]
  readonly json?: boolean
}

/** What `berth plan` ends with when something would find no room, to be told from a mistake. */
export const exitCodeNoRoom = 3

/** Shows what would happen if tasks were started, hosts added or taken out. Ends with 0 when everything would find room. */
export async function plan(
  berth: EcsClient,
  request: PlanRequest,
  { out }: Pick<CommandContext, 'out'>,
): Promise<number> {
  const { cluster, taskDefinition, count, launchType, strategy, constraint, group, withoutHost, addHost } = request
  if (taskDefinition === undefined && withoutHost === undefined)
    throw new CliError(
      'Say what is to be planned: --task-definition, or --without-host to see where its tasks would go.',
    )
  const answer = await berth<PlanTasksAnswer>('PlanTasks', {
    cluster,
    taskDefinition,
    count,
    launchType,
    placementStrategy: strategy,
    placementConstraints: constraint,
    group,
    withoutHosts: withoutHost,
    addHosts: addHost,
  })
  if (request.json === true) out(JSON.stringify(answer, undefined, 2))
  else for (const line of planReport(answer)) out(line)
  return answer.fits ? 0 : exitCodeNoRoom
}
