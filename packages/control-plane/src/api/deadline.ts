import type { Clock } from '@berth/shared/clock.ts'
import { ApiError } from './errors.ts'

const tookTooLong = () =>
  new ApiError('ServerException', 'The operation took too long. Try again.', { httpStatus: 503 })

/**
 * Runs `work` with a signal that aborts after `deadlineMs` on `clock`, or when `outer` does, and does not wait for
 * it any longer than that.
 *
 * @throws ApiError `ServerException` with status 503 when the deadline passed, the reason of `outer` when that
 *   aborted; else what `work` throws.
 */
export async function withDeadline<Result>(
  clock: Clock,
  deadlineMs: number,
  outer: AbortSignal,
  work: (signal: AbortSignal) => Promise<Result> | Result,
): Promise<Result> {
  outer.throwIfAborted()
  const controller = new AbortController()
  const aborted = Promise.withResolvers<never>()
  const abort = (reason: Error) => {
    controller.abort(reason)
    aborted.reject(reason)
  }
  const onOuterAbort = () => abort(outer.reason as Error)
  const cancel = clock.after(deadlineMs, () => abort(tookTooLong()))
  outer.addEventListener('abort', onOuterAbort, { once: true })
  const running = (async () => work(controller.signal))()
  try {
    return await Promise.race([running, aborted.promise])
  } finally {
    cancel()
    outer.removeEventListener('abort', onOuterAbort)
  }
}
