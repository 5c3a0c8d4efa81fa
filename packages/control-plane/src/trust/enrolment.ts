import type { HostName } from '@berth/shared/host-trust.ts'
import type { Transaction } from '../cell/cell.ts'
import type { HostRecord } from '../cell/records.ts'
import type { ReadonlyTables } from '../cell/tables.ts'
import { JoinRefusedError } from './join-refused.ts'
import { usableJoinToken } from './join-tokens.ts'

/** A host that wants a certificate, with the key that it made for it. */
export interface JoiningHost {
  readonly hostId: string
  /** SHA-256 of its public key, hex: it has proved that it has the private one. */
  readonly keyHash: string
  /** Until when the certificate will count. */
  readonly until: number
}

/**
 * Lets a host in by a token, within a transaction, and takes one use off the token. Asked again with the same key, because the
 * answer was lost, it takes no second one. A host whose certificate still counts is not replaced by who has another key,
 * whatever token he has.
 *
 * @throws JoinRefusedError
 */
export function enrolByToken(
  tx: Transaction,
  host: JoiningHost,
  asked: { readonly token: string; readonly cluster: string | undefined },
  now: number,
): HostName {
  const before = tx.tables.enrolments.get(host.hostId)
  if (before && before.keyHash === host.keyHash) return enrolAgain(tx, host, { now, graceMs: 0 })
  const token = usableJoinToken(tx.tables, asked.token, now)
  const { cluster } = token
  if (asked.cluster !== undefined && asked.cluster !== cluster)
    throw new JoinRefusedError(
      'WRONG_CLUSTER',
      `Join token ${token.id} is for cluster ${cluster}, not for ${asked.cluster}.`,
    )
  if (tx.tables.clusters.get(cluster)?.status !== 'ACTIVE')
    throw new JoinRefusedError('CLUSTER_NOT_FOUND', `There is no active cluster named ${cluster}. Create it first.`)
  refuseDeregistered(tx.tables, host.hostId)
  if (before && before.until > now)
    throw new JoinRefusedError(
      'HOST_HAS_CERTIFICATE',
      `Host ${host.hostId} has a certificate of another key until ${new Date(before.until).toISOString()}. Deregister it first, or join with an empty data directory.`,
    )
  tx.put('joinTokens', token.id, { ...token, used: token.used + 1 })
  tx.put('enrolments', host.hostId, { ...host, cluster, tokenId: token.id, enrolledAt: now })
  return { cluster, hostId: host.hostId }
}

/**
 * Lets a host in again that has the key of its last certificate, also when that ran out no longer than `graceMs` ago.
 *
 * @throws JoinRefusedError
 */
export function enrolAgain(
  tx: Transaction,
  host: JoiningHost,
  { now, graceMs }: { readonly now: number; readonly graceMs: number },
): HostName {
  const before = tx.tables.enrolments.get(host.hostId)
  if (!before || before.keyHash !== host.keyHash)
    throw new JoinRefusedError('NOT_ENROLLED', `Host ${host.hostId} is not known by this key. Join with a token.`)
  if (now >= before.until + graceMs)
    throw new JoinRefusedError(
      'NOT_ENROLLED',
      `The certificate of host ${host.hostId} ran out at ${new Date(before.until).toISOString()}, too long ago to be renewed. Join with a token.`,
    )
  return renewed(tx, host, before.cluster, now)
}

/**
 * Notes the new key of a host that proved itself by its certificate.
 *
 * @throws JoinRefusedError for a host that was deregistered meanwhile.
 */
export function renewEnrolment(tx: Transaction, host: JoiningHost, cluster: string, now: number): HostName {
  return renewed(tx, host, cluster, now)
}

function renewed(tx: Transaction, host: JoiningHost, cluster: string, now: number): HostName {
  refuseDeregistered(tx.tables, host.hostId)
  const before = tx.tables.enrolments.get(host.hostId)
  const since = { tokenId: before?.tokenId ?? '', enrolledAt: before?.enrolledAt ?? now, renewedAt: now }
  tx.put('enrolments', host.hostId, { ...host, cluster, ...since })
  return { cluster, hostId: host.hostId }
}

function refuseDeregistered(tables: ReadonlyTables, hostId: string): void {
  const host = newestHost(tables, hostId)
  if (host?.status === 'INACTIVE')
    throw new JoinRefusedError(
      'DEREGISTERED',
      `Container instance ${host.arn} was deregistered, and the certificates of its host with it. Join with an empty data directory.`,
    )
}

/** The container instance that a host is, or last was. */
function newestHost(tables: ReadonlyTables, hostId: string): HostRecord | undefined {
  let newest: HostRecord | undefined
  for (const host of tables.hosts.by('agentHostId', hostId))
    if (!newest || host.registeredAt >= newest.registeredAt) newest = host
  return newest
}
