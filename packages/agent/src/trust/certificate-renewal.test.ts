import 'reflect-metadata'
import { webcrypto, X509Certificate } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import { silentLog } from '@berth/shared/log.ts'
import { seededRandom } from '@berth/shared/random.ts'
import { virtualClock } from '@berth/shared/virtual-clock.ts'
import { expect, test, vi } from 'vitest'
import { keepCertificate, type RenewalDeps } from './certificate-renewal.ts'
import type { HostCertificate } from './host-certificate.ts'

const hour = 3600_000

/** A certificate that counts from `from` for 24 hours. */
async function certificate(from: number): Promise<string> {
  const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  const validity = { notBefore: new Date(from), notAfter: new Date(from + 24 * hour) }
  const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' }
  return (await x509.X509CertificateGenerator.createSelfSigned({ ...validity, keys, signingAlgorithm })).toString('pem')
}

async function lab(renew: RenewalDeps['renew'] | 'works') {
  const clock = virtualClock()
  const kept: HostCertificate[] = []
  const late: number[] = []
  const answer = async () => ({ certificate: await certificate(clock.now()), ca: 'ca', servers: ['new:1'] })
  const first: HostCertificate = {
    version: 1,
    key: '',
    certificate: await certificate(clock.now()),
    ca: 'ca',
    servers: ['old:1'],
    joinedAt: 'https://old',
    cluster: 'default',
  }
  const stop = new AbortController()
  const deps: RenewalDeps = {
    clock,
    random: seededRandom(1),
    log: silentLog,
    renew: renew === 'works' ? answer : renew,
    renewLate: () => {
      late.push(clock.now())
      return Promise.reject(new Error('not yet'))
    },
    keep: (next) => {
      kept.push(next)
      return Promise.resolve()
    },
  }
  const running = keepCertificate(first, deps, stop.signal)
  return { clock, kept, late, first, end: () => (stop.abort(), running) }
}

test('a certificate is renewed at half of its life, a little earlier by chance, under a new key', async () => {
  const { clock, kept, first, end } = await lab('works')
  const start = clock.now()
  await clock.advanceBy(9 * hour)
  expect(kept).toEqual([])
  await clock.advanceBy(3 * hour)
  await vi.waitFor(() => expect(kept).toHaveLength(1))
  const [next] = kept
  const madeAt = Date.parse(new X509Certificate(next?.certificate ?? '').validFrom)
  expect(madeAt - start).toBeGreaterThanOrEqual(9.5 * hour)
  expect(next?.servers).toEqual(['new:1'])
  expect(next?.key).not.toBe(first.key)
  await end()
})

test('one that cannot be renewed is kept, and asked for again', async () => {
  const asked: number[] = []
  const { clock, kept, late, end } = await lab(() => {
    asked.push(clock.now())
    return Promise.reject(new Error('nobody leads'))
  })
  await clock.advanceBy(12 * hour)
  await vi.waitFor(() => expect(asked.length).toBeGreaterThan(0))
  expect(kept).toEqual([])
  expect(late).toEqual([])
  await end()
})
