import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '@berth/shared/clock.ts'
import { ApiError, errorBody } from './errors.ts'

/** An answer that is ready to be sent. */
export interface Answer {
  readonly requestId: string
  readonly status: number
  readonly contentType: string
  readonly body: string
  /** The error's code, which goes into a header as well as into the body. */
  readonly errorType?: string
  /** Whether the request was left alone, so that another control plane may make it again. */
  readonly notProcessed?: boolean
}

/** Says to another control plane that a request was left alone. */
export const notProcessedHeader = 'x-berth-not-processed'

export const jsonContentType = 'application/x-amz-json-1.1'

/** How long a client that is still sending gets to read its refusal, in ms. */
const lingerMs = 2000

export const errorAnswer = (requestId: string, error: ApiError): Answer => ({
  requestId,
  status: error.httpStatus,
  contentType: jsonContentType,
  body: errorBody(error),
  errorType: error.code,
})

/** The length is always given and nothing is streamed: boto3 takes a cut-off 200 for success. */
function headersOf(answer: Answer, closeConnection: boolean): Record<string, string | number> {
  return {
    'x-amzn-RequestId': answer.requestId,
    'Content-Type': answer.contentType,
    'Content-Length': Buffer.byteLength(answer.body),
    ...(answer.errorType === undefined ? {} : { 'X-Amzn-Errortype': answer.errorType }),
    ...(answer.notProcessed === true ? { [notProcessedHeader]: '1' } : {}),
    ...(closeConnection ? { Connection: 'close' } : {}),
  }
}

/**
 * Sends `answer`. When the request has not come in whole, the connection is closed after it, but only once the
 * client has stopped sending, or had time to read: closing at once would reset the connection under the answer.
 */
export function sendAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
  { clock, lastOfConnection }: { readonly clock: Clock; readonly lastOfConnection: boolean },
): void {
  if (response.destroyed) return
  const isCut = !request.complete
  response.writeHead(answer.status, headersOf(answer, isCut || lastOfConnection))
  if (!isCut) {
    response.end(answer.body)
    return
  }
  response.write(answer.body)
  const end = () => {
    cancel()
    response.end()
  }
  const cancel = clock.after(lingerMs, end)
  request.once('end', end)
  request.once('close', end)
  request.resume()
}

/** How bytes that cannot be read as a request are answered. */
function connectionError(code: string | undefined): ApiError {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new ApiError('RequestHeaderFieldsTooLargeException', 'The request headers are too large.')
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new ApiError('RequestTimeoutException', 'The request did not arrive in time.')
  }
  return new ApiError('SerializationException', 'The request is not valid HTTP.')
}

/** Answers by hand on a connection that Node could make no request of, and closes it. */
export function refuseConnection(error: NodeJS.ErrnoException, socket: Socket, requestId: string): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const answer = errorAnswer(requestId, connectionError(error.code))
  const headers = Object.entries(headersOf(answer, true)).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${answer.status} Refused\r\n${headers.join('')}\r\n${answer.body}`)
}
