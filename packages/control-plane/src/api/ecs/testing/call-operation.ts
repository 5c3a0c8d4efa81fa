import { ecsModel } from '../../model/gen/ecs-model.ts'
import type { EcsHandlers, EcsInput, EcsOperation, EcsOutput, RequestContext } from '../../operation.ts'
import { requestDecoders } from '../request-decoder.ts'
import type { TestControlPlane } from './test-control-plane.ts'

/** Calls an operation with a request's members, which pass the decoder first, as those of a real request. */
export type CallOperation = <Op extends EcsOperation>(
  operation: Op,
  members: EcsInput<Op>,
  context?: Partial<RequestContext>,
) => Promise<EcsOutput<Op>>

const decoderOf = requestDecoders()

/** How tests call the operations that `handlers` answer. */
export function callOperations(plane: TestControlPlane, handlers: EcsHandlers): CallOperation {
  return async (operation, members, context) => {
    const handle = handlers[operation]
    if (handle === undefined) throw new Error(`there is no handler of ${operation}`)
    const body: unknown = JSON.parse(JSON.stringify(members))
    const input = decoderOf(ecsModel.operations[operation]?.input ?? operation)(body) as typeof members
    return handle(input, plane.context(context))
  }
}
