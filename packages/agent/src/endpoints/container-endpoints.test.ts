import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@berth/shared/clock.ts'
import { silentLog } from '@berth/shared/log.ts'
import { seededRandom } from '@berth/shared/random.ts'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openContainerEndpoints } from './container-endpoints.ts'
import type { EndpointSubject } from './endpoint-answers.ts'

const nobody: EndpointSubject = {
  tasks: () => [],
  stats: () => Promise.resolve(null),
  protection: { protection: () => Promise.reject(new Error('none')) },
  host: () => ({ cluster: 'default', containerInstanceArn: '', version: '1' }),
}

describe('where containers find their agent', () => {
  let root = ''
  const path = () => join(root, 'data/endpoints.json')
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'berth-endpoints-'))
  })
  afterEach(() => rmSync(root, { recursive: true }))

  /** Runs an agent's endpoints for as long as `work` takes. */
  async function whileServed<T>(
    work: (uri: string) => Promise<T> | T,
    gateway: string | null = '127.0.0.1',
  ): Promise<T> {
    const deps = {
      gateway: () => Promise.resolve(gateway ?? undefined),
      clock: systemClock,
      random: seededRandom(1),
      log: silentLog,
    }
    const endpoints = await openContainerEndpoints(deps, { path: path(), zone: 'a', introspectionPort: undefined })
    const stopped = new AbortController()
    const served = endpoints.serve(nobody, stopped.signal)
    try {
      return await work(endpoints.variables('arn:task', 'app')['ECS_CONTAINER_METADATA_URI_V4'] ?? '')
    } finally {
      stopped.abort(new Error('the test ends'))
      await served
    }
  }

  test('is the same after a restart', async () => {
    const before = await whileServed((uri) => uri)
    expect(before).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v4\/[0-9a-f]{32}$/)
    expect(await whileServed((uri) => uri)).toBe(before)
  })

  test('is another for a second agent of the same machine', async () => {
    await whileServed(async (first) => {
      const kept = root
      root = join(kept, 'second')
      expect(await whileServed((uri) => uri)).not.toBe(first)
      root = kept
    })
  })

  test('answers, and serves nothing to who has no id', async () => {
    await whileServed(async (uri) => {
      expect((await fetch(uri)).status).toBe(404)
      const long = await fetch(uri, { method: 'PUT', body: 'x'.repeat(5000) })
      expect(long.status).toBe(413)
    })
  })

  test('is kept where only its owner reads it', async () => {
    await whileServed((uri) => uri)
    expect(statSync(path()).mode & 0o777).toBe(0o600)
    expect(JSON.parse(readFileSync(path(), 'utf8'))).toMatchObject({ key: expect.stringMatching(/^[0-9a-f]{64}$/) })
  })

  test('is nowhere on a host without a bridge', async () => {
    expect(await whileServed((uri) => uri, null)).toBe('')
  })
})
