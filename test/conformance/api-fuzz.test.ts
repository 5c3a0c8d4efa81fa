import { expect, it } from 'vitest'
import { refuseUnsupportedFields } from '@berth/control-plane/api/ecs/refused-fields.ts'
import { compileEncoder } from '@berth/control-plane/api/model/compile-encoder.ts'
import { ecsModel } from '@berth/control-plane/api/model/gen/ecs-model.ts'
import type { EcsHandlers } from '@berth/control-plane/api/operation.ts'
import { startApi, supportedOperations } from './api-under-test.ts'
import { type FuzzRequest, fuzzRequest, fuzzRequests } from './request-mutations.ts'
import { sendFuzz } from './send-fuzz.ts'

const seed = Number(process.env['BERTH_FUZZ_SEED'] ?? 20_261_124)
const only = process.env['BERTH_FUZZ_ONLY']
const count = 10_000
// Those that Berth refuses take their turn, but are answered alike whatever comes.
const operations = [...Array.from({ length: 9 }, () => supportedOperations).flat(), ...Object.keys(ecsModel.operations)]

const encoderOf = compileEncoder(ecsModel)

/**
 * Handlers that fail, and so answer 500, when they are given anything but what the model says of their input: the
 * encoder checks each type. They answer with the members that input and output share.
 */
const echo: EcsHandlers = Object.fromEntries(
  supportedOperations.map((name) => [name, (input: Record<string, unknown>) => echoOf(name, input)]),
)

function echoOf(operation: string, input: Record<string, unknown>): Record<string, unknown> {
  const { input: inputName = '', output: outputName = '' } = ecsModel.operations[operation] ?? {}
  const known = encoderOf(inputName)(input) as Record<string, unknown>
  if (Object.keys(input).length !== Object.keys(known).length) throw new Error('the input has unknown members')
  const inputTypes = ecsModel.structures[inputName] ?? {}
  const outputTypes = ecsModel.structures[outputName] ?? {}
  const shared = Object.keys(input).filter((member) => inputTypes[member]?.replace('!', '') === outputTypes[member])
  return Object.fromEntries(shared.map((member) => [member, input[member]]))
}

it(`answers ${count} odd requests with 2xx or a readable 4xx, never 5xx, and never hangs`, async () => {
  const { endpoint, server } = await startApi(echo)
  try {
    const requests =
      only === undefined ? fuzzRequests(seed, count, operations) : [fuzzRequest(seed, Number(only), operations)]
    const { taken, refused, failures } = await sendFuzz(endpoint, requests)
    expect(failures.slice(0, 10).join('\n')).toBe('')
    expect(taken + refused).toBe(only === undefined ? count : 1)
    if (only !== undefined) return
    // Both must be plenty, or the run says little.
    expect(taken).toBeGreaterThan(count / 50)
    expect(refused).toBeGreaterThan(count / 4)
  } finally {
    await server.close()
  }
})

/** Whether a valid request has a member that Berth refuses by its name. */
function asksForWhatBerthLacks({ operation, body }: FuzzRequest): boolean {
  try {
    refuseUnsupportedFields(ecsModel.operations[operation]?.input ?? '', JSON.parse(body) as object)
    return false
  } catch {
    return true
  }
}

it('takes valid requests, so that a refusal is due to the mutation', async () => {
  const { endpoint, server } = await startApi(echo)
  try {
    const supported = new Set(supportedOperations)
    const untouched = [...fuzzRequests(seed, 20_000, operations)].filter(
      (request) =>
        supported.has(request.operation) &&
        request.mutation.endsWith('left as it is') &&
        !asksForWhatBerthLacks(request),
    )
    const report = await sendFuzz(endpoint, untouched)
    expect(untouched.length).toBeGreaterThan(500)
    expect(report).toEqual({ taken: untouched.length, refused: 0, failures: [] })
  } finally {
    await server.close()
  }
})
