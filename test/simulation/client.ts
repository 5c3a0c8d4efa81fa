import type { EcsInput, EcsOperation, EcsOutput, RequestContext } from '@berth/control-plane/api/operation.ts'
import { ApiError } from '@berth/control-plane/api/errors.ts'
import type { Clock } from '@berth/shared/clock.ts'
import type { SimulatedControlPlane } from './simulated-control-plane.ts'

/** What a caller knows after a call. A call to a process that died is never answered. */
export type Answer<Op extends EcsOperation> =
  | { readonly kind: 'answered'; readonly output: EcsOutput<Op> }
  /** It was looked at and refused: nothing happened. */
  | { readonly kind: 'refused'; readonly message: string }
  /** The process does not lead, or could not make it durable in time: whether it happened is not known. */
  | { readonly kind: 'unknown'; readonly message: string }

/** Calls an operation of one control plane, as the API's server does. */
export async function call<Op extends keyof SimulatedControlPlane['handlers'] & EcsOperation>(
  plane: SimulatedControlPlane,
  clock: Clock,
  operation: Op,
  input: EcsInput<Op>,
): Promise<Answer<Op>> {
  const context: RequestContext = {
    requestId: '00000000-0000-4000-8000-000000000000',
    principalArn: 'arn:aws:iam::123456789012:root',
    region: 'us-east-1',
    receivedAt: clock.now(),
    signal: new AbortController().signal,
  }
  const handle = plane.handlers[operation] as unknown as (
    input: EcsInput<Op>,
    context: RequestContext,
  ) => Promise<EcsOutput<Op>>
  try {
    // A frozen process finds the call when it thaws, before it learns what became of its lease.
    await new Promise<void>((arrive) => plane.process.gate(arrive))
    return { kind: 'answered', output: await plane.process.answer(handle(input, context)) }
  } catch (error) {
    const { message } = error as Error
    return { kind: error instanceof ApiError ? 'refused' : 'unknown', message }
  }
}
