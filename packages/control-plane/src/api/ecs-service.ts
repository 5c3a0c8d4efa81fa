import { compileEncoder } from './model/compile-encoder.ts'
import { requestDecoders } from './ecs/request-decoder.ts'
import { ecsModel } from './model/gen/ecs-model.ts'
import type { EcsHandlers, RequestContext } from './operation.ts'
import type { ApiOperation, ApiService } from './service.ts'
import { unsupportedOperation, unsupportedOperations } from './unsupported-operations.ts'

type AnyHandler = (input: unknown, context: RequestContext) => unknown

/** Throws when an operation has neither a handler nor a reason why not, or both. */
function checkCoverage(handlers: Readonly<Record<string, unknown>>, refused: Readonly<Record<string, string>>): void {
  const operations = Object.keys(ecsModel.operations)
  const known = new Set(operations)
  const problems = [
    [
      'have neither a handler nor a place in unsupported-operations.ts',
      operations.filter((op) => !handlers[op] && !refused[op]),
    ],
    [
      'have a handler and stand in unsupported-operations.ts too',
      operations.filter((op) => handlers[op] && refused[op]),
    ],
    ['are not in the model', Object.keys({ ...handlers, ...refused }).filter((op) => !known.has(op))],
  ] as const
  const texts = problems.filter(([, names]) => names.length > 0).map(([what, names]) => `${names.join(', ')} ${what}`)
  if (texts.length > 0) throw new Error(`ECS operations are not all accounted for: ${texts.join('; ')}`)
}

/**
 * ECS as a service of the API server: `handlers` between the decoders and encoders compiled from the model.
 * Operations of `unsupported-operations.ts` are refused with their reason, whatever their input.
 *
 * @throws Error naming every operation of the model that nobody accounts for.
 */
export function ecsService(handlers: EcsHandlers): ApiService {
  const byName: Readonly<Record<string, AnyHandler | undefined>> = handlers as Record<string, AnyHandler>
  const refused: Readonly<Record<string, string>> = unsupportedOperations
  checkCoverage(byName, refused)

  const decoderOf = requestDecoders()
  const encoderOf = compileEncoder(ecsModel)
  const operations = Object.entries(ecsModel.operations).map(([name, { input, output }]): [string, ApiOperation] => {
    const handle = byName[name]
    if (!handle) return [name, refusal(name, refused[name] ?? '')]
    return [name, { decode: decoderOf(input), handle, encode: encoderOf(output) }]
  })
  return { name: 'ecs', targetPrefix: ecsModel.targetPrefix, operations: new Map(operations) }
}

function refusal(name: string, reason: string): ApiOperation {
  return {
    decode: (body) => body,
    handle() {
      throw unsupportedOperation(name, reason)
    },
    encode: (output) => output,
  }
}
