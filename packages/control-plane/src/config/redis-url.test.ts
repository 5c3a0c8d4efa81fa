import { expect, test } from 'vitest'
import { redisUrl } from './redis-url.ts'

const at = (host: string, port: number) => ({ host, port })

test.each([
  ['redis://127.0.0.1', { kind: 'server', tls: false, server: at('127.0.0.1', 6379), database: 0 }],
  ['redis://[::1]:7000/3', { kind: 'server', tls: false, server: at('::1', 7000), database: 3 }],
  ['redis://:p%40ss@r:1', { kind: 'server', tls: false, password: 'p@ss', server: at('r', 1), database: 0 }],
  ['rediss://u:p@r', { kind: 'server', tls: true, username: 'u', password: 'p', server: at('r', 6379), database: 0 }],
  [
    'redis-sentinel://:p@a,b:7/cell',
    { kind: 'sentinel', tls: false, password: 'p', sentinels: [at('a', 26_379), at('b', 7)], name: 'cell' },
  ],
  ['rediss-sentinel://a/m', { kind: 'sentinel', tls: true, sentinels: [at('a', 26_379)], name: 'm' }],
  ['redis-cluster://a:7000,b:7001', { kind: 'cluster', tls: false, seeds: [at('a', 7000), at('b', 7001)] }],
])('%s', (text, location) => {
  expect(redisUrl.read(text)).toEqual(location)
})

test.each([
  [''],
  ['localhost:6379'],
  ['http://localhost'],
  ['redis://'],
  ['redis://a,b'],
  ['redis://a:99999'],
  ['redis://a/name'],
  ['redis-sentinel://a'],
  ['redis-cluster://a/0'],
  ['redis://%zz@a'],
])('%s is refused', (text) => {
  expect(redisUrl.read(text)).toBeUndefined()
})
