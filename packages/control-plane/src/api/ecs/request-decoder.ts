import { compileDecoder } from '../model/compile-decoder.ts'
import { ecsConstraints } from '../model/ecs-constraints.ts'
import { ecsModel } from '../model/gen/ecs-model.ts'
import { refuseUnsupportedFields } from './refused-fields.ts'

/** The input that a request's parsed JSON body means. */
export type DecodeRequest = (body: unknown) => unknown

/**
 * Makes the decoders of ECS's operations, by the name of their input's structure: a request that the model does not allow is
 * refused as ECS refuses it, and then one that asks for what Berth does not do, before anything else looks at it.
 */
export function requestDecoders(): (structure: string) => DecodeRequest {
  const decoderOf = compileDecoder(ecsModel, ecsConstraints)
  return (structure) => {
    const decode = decoderOf(structure)
    return (body) => {
      const input = decode(body, [])
      refuseUnsupportedFields(structure, input as object)
      return input
    }
  }
}
