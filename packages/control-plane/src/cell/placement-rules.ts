import type * as ecs from '@aws-sdk/client-ecs'
import { type CompiledConstraint, compileConstraints } from '../scheduler/constraint.ts'
import {
  compileStrategy,
  DEFAULT_SERVICE_STRATEGY,
  DEFAULT_TASK_STRATEGY,
  type StrategyStep,
} from '../scheduler/strategy.ts'

type Constraints = readonly (ecs.PlacementConstraint | ecs.TaskDefinitionPlacementConstraint)[]
type Strategy = readonly ecs.PlacementStrategy[]

/** What is wrong with placement constraints, in words for an InvalidParameterException; nothing when they can be stored. */
export function placementConstraintsProblem(items: Constraints): string | undefined {
  const compiled = compileConstraints(items)
  return compiled.ok ? undefined : compiled.message
}

/** What is wrong with a placement strategy, in words for an InvalidParameterException; nothing when it can be stored. */
export function placementStrategyProblem(items: Strategy): string | undefined {
  const compiled = compileStrategy(items)
  return compiled.ok ? undefined : compiled.message
}

/** Records are never changed, so that what was compiled from one stays true for as long as the record lives. */
const constraintsByRecord = new WeakMap<Constraints, readonly CompiledConstraint[]>()
const strategiesByRecord = new WeakMap<Strategy, readonly StrategyStep[]>()

/** The constraints of a record, which were checked before they were stored. */
export function compiledConstraints(items: Constraints): readonly CompiledConstraint[] {
  const known = constraintsByRecord.get(items)
  if (known !== undefined) return known
  const compiled = compileConstraints(items)
  if (!compiled.ok) throw new Error(`a stored placement constraint does not compile: ${compiled.message}`)
  constraintsByRecord.set(items, compiled.constraints)
  return compiled.constraints
}

/** The strategy of a record, which was checked before it was stored; where it is empty, the default of services or of tasks. */
export function compiledStrategy(items: Strategy, forService: boolean): readonly StrategyStep[] {
  if (items.length === 0) return forService ? DEFAULT_SERVICE_STRATEGY : DEFAULT_TASK_STRATEGY
  const known = strategiesByRecord.get(items)
  if (known !== undefined) return known
  const compiled = compileStrategy(items)
  if (!compiled.ok) throw new Error(`a stored placement strategy does not compile: ${compiled.message}`)
  strategiesByRecord.set(items, compiled.steps)
  return compiled.steps
}
