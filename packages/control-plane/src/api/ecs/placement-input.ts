import type { PlacementConstraint, PlacementStrategy } from '@aws-sdk/client-ecs'
import { placementConstraintsProblem, placementStrategyProblem } from '../../cell/placement-rules.ts'
import type { LaunchType } from '../../cell/task-demand.ts'
import { invalidParameter } from '../errors.ts'

/** ECS's own limit on the constraints of a task, those of its definition included. */
const constraintsAtMost = 10

/**
 * The placement constraints of a request, as they are kept.
 *
 * @param ofDefinition how many the task definition has.
 * @throws InvalidParameterException when one does not parse, there are too many, or the tasks run on FARGATE.
 */
export function placementConstraintsOf(
  given: readonly PlacementConstraint[] | undefined,
  launchType: LaunchType,
  ofDefinition = 0,
): readonly PlacementConstraint[] {
  const constraints = given ?? []
  if (constraints.length === 0) return []
  if (launchType === 'FARGATE')
    throw invalidParameter('Placement constraints are not supported with FARGATE launch type.')
  const problem = placementConstraintsProblem(constraints)
  if (problem !== undefined) throw invalidParameter(problem)
  if (constraints.length + ofDefinition > constraintsAtMost)
    throw invalidParameter(`placementConstraints can not have more than ${constraintsAtMost} items.`)
  return constraints
}

/**
 * The placement strategy of a request, as it is kept: fields as ECS answers them, `cpu` and `memory` in lower case and `host` as
 * `instanceId`.
 *
 * @throws InvalidParameterException when a step is none, there are too many, or the tasks run on FARGATE.
 */
export function placementStrategyOf(
  given: readonly PlacementStrategy[] | undefined,
  launchType: LaunchType,
): readonly PlacementStrategy[] {
  const steps = given ?? []
  if (steps.length === 0) return []
  if (launchType === 'FARGATE')
    throw invalidParameter('Placement strategies are not supported with FARGATE launch type.')
  const problem = placementStrategyProblem(steps)
  if (problem !== undefined) throw invalidParameter(problem)
  return steps.map(({ type, field }) =>
    field === undefined || field === '' ? { type } : { type, field: answered(field) },
  )
}

function answered(field: string): string {
  const lower = field.toLowerCase()
  if (lower === 'cpu' || lower === 'memory') return lower
  return lower === 'host' || lower === 'instanceid' ? 'instanceId' : field
}
