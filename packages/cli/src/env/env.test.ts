import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import type { RunState } from '../cluster/run-state.ts'
import { environmentLines } from './env.ts'

const state: RunState = {
  version: 1,
  phase: 'ready',
  supervisor: { pid: 1, startTicks: 1, bootId: '' },
  startedAt: 1,
  endpoint: 'http://127.0.0.1:4566',
  ports: { api: 4566, agents: 4567, redis: 4568 },
  account: '123456789012',
  region: 'eu-west-1',
  cluster: 'default',
  hosts: [],
  processes: [],
}
const key = { accessKeyId: 'AKIA', secretAccessKey: "a/b+c='$(false)", name: 'root' }

test('a shell that evaluates the lines has all that an AWS client needs', () => {
  const script = `eval "$1"; echo "$AWS_ENDPOINT_URL|$AWS_ACCESS_KEY_ID|$AWS_SECRET_ACCESS_KEY|$AWS_DEFAULT_REGION|$AWS_REGION"`
  const lines = environmentLines(state, key, {}, '/data/ca.pem').join('\n')
  const said = execFileSync('sh', ['-c', script, 'sh', lines], { encoding: 'utf8' })
  expect(said).toBe(`http://127.0.0.1:4566|AKIA|a/b+c='$(false)|eu-west-1|eu-west-1\n`)
})

test('a session token of other credentials is taken away', () => {
  expect(environmentLines(state, key, { AWS_SESSION_TOKEN: 'x' }, '/data/ca.pem')).toContain('unset AWS_SESSION_TOKEN')
  expect(environmentLines(state, key, {}, '/data/ca.pem')).toHaveLength(5)
})
