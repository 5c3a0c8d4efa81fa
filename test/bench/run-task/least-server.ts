import { createServer } from 'node:http'
import { buffer } from 'node:stream/consumers'
import type { AddressInfo } from 'node:net'
import { sigV4Verifier } from '@berth/control-plane/api/sigv4.ts'
import { Redis } from 'ioredis'

/**
 * The least that any control plane must do for a RunTask of ten: check the signature, read the request, keep ten records
 * where they are durable, answer with ten tasks. It places nothing and tells nobody. `argv`: Redis' URL, the secret, and the
 * JSON of a task, which stands in for both record and answer.
 */
const [redisUrl = '', secretAccessKey = '', task = '{}'] = process.argv.slice(2)
const redis = new Redis(redisUrl)
const verify = sigV4Verifier(() => ({ secretAccessKey, principalArn: 'arn:aws:iam::123456789012:root' }))
const answered = JSON.parse(task) as object
let serial = 0

const server = createServer((request, response) => {
  const answer = async (): Promise<void> => {
    const body = await buffer(request)
    const { method = '', url = '', headers } = request
    verify({ method, url, headers, body }, Date.now())
    const { count } = JSON.parse(body.toString()) as { count: number }
    const tasks = Array.from({ length: count }, () => ({ ...answered, taskArn: `task-${serial++}` }))
    await redis.hset(
      'tasks',
      tasks.flatMap((each) => [each.taskArn, JSON.stringify(each)]),
    )
    const text = JSON.stringify({ tasks, failures: [] })
    response.setHeader('Content-Type', 'application/x-amz-json-1.1')
    response.end(text)
  }
  answer().catch((error: unknown) => {
    response.statusCode = 500
    response.end(String(error))
  })
})
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ message: 'listens', port: (server.address() as AddressInfo).port })}\n`)
})
process.once('SIGTERM', () => process.exit())
