import { RuntimeError, type RuntimeFault } from '../container-runtime.ts'

/** What docker-modem rejects with: a failed answer has a status code, a failed connection a system code. */
interface ModemError {
  readonly statusCode?: number
  readonly code?: string
  readonly message?: string
  readonly json?: unknown
}

const connectionCodes: ReadonlySet<string> = new Set([
  'ENOENT',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'EACCES',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ERR_STREAM_PREMATURE_CLOSE',
])

/**
 * First match wins. The engine has no codes finer than HTTP's, so its words decide; they are the same from 20.10 on
 * (libnetwork's port allocator, and the kernel's own for a port that no container has).
 */
const faultsByAnswer: readonly { readonly status?: number; readonly says?: RegExp; readonly fault: RuntimeFault }[] = [
  { says: /port is already allocated|address already in use/i, fault: 'port-taken' },
  { status: 404, fault: 'not-found' },
  { status: 409, says: /name .* is already in use/i, fault: 'name-taken' },
  { status: 503, fault: 'unavailable' },
]

/** The `RuntimeError` for whatever talking to Docker failed with; its message is Docker's own, without decoration. */
export function toRuntimeError(error: unknown): RuntimeError {
  if (error instanceof RuntimeError) return error
  const { statusCode, code, message = String(error) } = error as ModemError
  if (statusCode === undefined) {
    const fault = code !== undefined && connectionCodes.has(code) ? 'unavailable' : 'refused'
    return new RuntimeError(fault, message, { cause: error })
  }
  const said = dockerMessage(error as ModemError)
  const match = faultsByAnswer.find(
    (row) => (row.status ?? statusCode) === statusCode && (row.says === undefined || row.says.test(said)),
  )
  return new RuntimeError(match?.fault ?? 'refused', said, { cause: error })
}

/** The HTTP status of the answer that the error stands for, if there was one. */
export function answeredStatus(error: RuntimeError): number | undefined {
  return (error.cause as ModemError | undefined)?.statusCode
}

function dockerMessage(error: ModemError): string {
  const said = (error.json as { message?: unknown } | null | undefined)?.message
  if (typeof said === 'string') return said.trim()
  return (error.message ?? '').replace(/^\(HTTP code \d+\) [^-]* - /, '').trim()
}
