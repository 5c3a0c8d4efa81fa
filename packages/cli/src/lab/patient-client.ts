import { type Clock, sleep } from '@berth/shared/clock.ts'
import { type EcsClient, EcsError, UnreachableError } from '../ecs/ecs-client.ts'

/** Longer than a control plane that lost its lease is without a leader, and than one call is waited for, in ms. */
const patienceMs = 60_000
const againMs = 500

/**
 * A client that asks again where the control plane could not answer, as the AWS SDKs do. Only looking is tried again, and what
 * carries a client token: anything else that was to be changed may have been. `onRetry` is told of each answer that was none.
 */
export function patientClient(ecs: EcsClient, clock: Clock, onRetry: (error: Unanswered) => void): EcsClient {
  return async <Output>(operation: string, input: object): Promise<Output> => {
    const giveUpAt = clock.monotonic() + patienceMs
    for (;;) {
      try {
        return await ecs<Output>(operation, input)
      } catch (error) {
        if (!mayAskAgain(operation, input, error) || clock.monotonic() >= giveUpAt) throw error
        onRetry(error)
        await sleep(clock, againMs)
      }
    }
  }
}

type Unanswered = EcsError | UnreachableError

const mayAskAgain = (operation: string, input: object, error: unknown): error is Unanswered =>
  (/^(Describe|List)/.test(operation) || 'clientToken' in input) &&
  (error instanceof UnreachableError ||
    (error instanceof EcsError && ['ServerException', 'ThrottlingException'].includes(error.type)))
