import { Agent } from 'node:http'
import { type ApiEndpoint, type ApiReply, postRaw } from './api-under-test.ts'
import { type FuzzRequest, replayLine } from './request-mutations.ts'

/** What a run of fuzz requests came to. */
export interface FuzzReport {
  readonly taken: number
  readonly refused: number
  /** For each request that was not answered as it must be: what came instead, and how to send it again. */
  readonly failures: readonly string[]
}

function typeOf(reply: ApiReply): unknown {
  try {
    return (JSON.parse(reply.text) as { __type?: unknown }).__type
  } catch {
    return undefined
  }
}

/** What is wrong with an answer; `undefined` when it is a success, or a refusal a client can read. */
function problemOf(reply: ApiReply): string | undefined {
  const type = typeOf(reply)
  if (!reply.headers['x-amzn-requestid']) return `${reply.status} without x-amzn-RequestId`
  if (reply.status === 200) return type === undefined ? undefined : '200 with an error in it'
  if (reply.status < 400 || reply.status > 499) return `${reply.status}: ${reply.text.slice(0, 300)}`
  return typeof type === 'string' ? undefined : `${reply.status} without __type: ${reply.text.slice(0, 300)}`
}

/**
 * Sends all `requests` to an ECS endpoint, `parallel` at a time. Each must be answered in time, with 2xx, or with
 * 4xx and a `__type`; never with 5xx.
 */
export async function sendFuzz(
  endpoint: ApiEndpoint,
  requests: Iterable<FuzzRequest>,
  parallel = 8,
): Promise<FuzzReport> {
  const agent = new Agent({ keepAlive: true, maxSockets: parallel })
  const failures: string[] = []
  let taken = 0
  let refused = 0
  const send = async (request: FuzzRequest) => {
    try {
      const reply = await postRaw(endpoint, request.operation, request.body, agent)
      const problem = problemOf(reply)
      if (problem) failures.push(`${problem}\n    ${replayLine(request)}`)
      else if (reply.status === 200) taken++
      else refused++
    } catch (error) {
      failures.push(`no answer: ${String(error)}\n    ${replayLine(request)}`)
    }
  }
  // All workers draw from one iterator, so each request is sent once.
  const queue = requests[Symbol.iterator]()
  const work = async () => {
    for (let next = queue.next(); !next.done; next = queue.next()) await send(next.value)
  }
  await Promise.all(Array.from({ length: parallel }, work))
  agent.destroy()
  return { taken, refused, failures }
}
