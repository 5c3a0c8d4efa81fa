import { backoffDelay } from '@berth/shared/backoff.ts'
import { type Clock, sleep } from '@berth/shared/clock.ts'
import type { Log } from '@berth/shared/log.ts'
import { type Random, randomFloat } from '@berth/shared/random.ts'
import { requestAgain, requestNewKey } from './certificate-request.ts'
import { type HostCertificate, validityOf } from './host-certificate.ts'

/** What a control plane answers to a request for another certificate. */
export type Renewed = Pick<HostCertificate, 'certificate' | 'ca' | 'servers'>

export interface RenewalDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Asks over a connection that the certificate of now proves. */
  readonly renew: (current: HostCertificate, csr: string) => Promise<Renewed>
  /** Asks by the key of a certificate that has run out. */
  readonly renewLate: (current: HostCertificate, csr: string) => Promise<Renewed>
  /** Keeps the new one; it is used once this resolves. */
  readonly keep: (next: HostCertificate) => Promise<void>
}

/** Pauses between tries that failed: short against half of any certificate's life. */
const backoff = { baseMs: 1000, maxMs: 60_000 }
/** Of half its life, by how much earlier a certificate may be renewed, so that a fleet does not do it at once. */
const jitter = 0.2
/** Clocks cannot sleep for longer than 24 days. */
const longestSleepMs = 24 * 3600_000

/** Renews the certificate at half of its life, under a new key each time, until `signal` aborts. */
export async function keepCertificate(first: HostCertificate, deps: RenewalDeps, signal: AbortSignal): Promise<void> {
  const { clock, random, log } = deps
  let current = first
  let attempt = 0
  let dueAt = renewalTime(current, random)
  while (!signal.aborted) {
    const wait = attempt > 0 ? backoffDelay(attempt, backoff, random) : dueAt - clock.now()
    await sleep(clock, Math.max(0, Math.min(wait, longestSleepMs)), signal).catch(() => undefined)
    if (signal.aborted || clock.now() < dueAt) continue
    try {
      current = await renewOnce(current, deps)
      attempt = 0
      dueAt = renewalTime(current, random)
      log.info('the certificate of this host was renewed', { until: new Date(validityOf(current).until).toISOString() })
    } catch (error) {
      attempt += 1
      log.warn('the certificate of this host could not be renewed yet', { reason: (error as Error).message })
    }
  }
}

/** A certificate that has run out proves nothing any more but by its key, which then stays. */
async function renewOnce(
  current: HostCertificate,
  { clock, renew, renewLate, keep }: RenewalDeps,
): Promise<HostCertificate> {
  const hasEnded = clock.now() >= validityOf(current).until
  const { key, csr } = hasEnded ? await requestAgain(current.key) : await requestNewKey()
  const { certificate, ca, servers } = await (hasEnded ? renewLate : renew)(current, csr)
  const next = { ...current, key, certificate, ca, servers: servers.length > 0 ? servers : current.servers }
  await keep(next)
  return next
}

function renewalTime(current: HostCertificate, random: Random): number {
  const { from, until } = validityOf(current)
  const half = (until - from) / 2
  return from + half * (1 - jitter * randomFloat(random))
}
