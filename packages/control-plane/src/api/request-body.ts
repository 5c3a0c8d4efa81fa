import type { IncomingMessage } from 'node:http'
import { ApiError } from './errors.ts'

const tooLarge = (maxBytes: number) =>
  new ApiError('RequestEntityTooLargeException', `The request body must not be larger than ${maxBytes} bytes.`)

/**
 * Reads a request's body, never more than `maxBytes` of it. After a refusal the rest of the body stays unread, so
 * the connection must be closed once the answer is out.
 *
 * @throws ApiError `RequestEntityTooLargeException` (413) or `UnsupportedMediaTypeException` (415, compressed).
 */
export async function readRequestBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const encoding = request.headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity') {
    throw new ApiError('UnsupportedMediaTypeException', `The content encoding ${encoding} is not supported.`)
  }
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const onData = (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= maxBytes) chunks.push(chunk)
      else {
        // Without a listener, a flowing stream drops what still comes.
        request.off('data', onData)
        reject(tooLarge(maxBytes))
      }
    }
    request.on('data', onData)
    request.on('end', () => resolve(Buffer.concat(chunks, bytes)))
    request.on('error', reject)
    request.on('close', () => reject(new Error('the client went away before its request was complete')))
  })
}

const invalidUtf8 = () => new ApiError('SerializationException', 'The request body is not valid UTF-8.')
const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Parses a JSON body; an empty one counts as `{}`.
 *
 * @throws ApiError `SerializationException` when it is not JSON.
 */
export function parseJsonBody(body: Uint8Array): unknown {
  if (body.length === 0) return {}
  let text: string
  try {
    text = utf8.decode(body)
  } catch {
    throw invalidUtf8()
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new ApiError('SerializationException', 'The request body is not valid JSON.', { cause: error })
  }
}
