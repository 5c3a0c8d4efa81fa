import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { joinTokenText, parseJoinToken } from '@berth/shared/host-trust.ts'
import type { Transaction } from '../cell/cell.ts'
import type { JoinTokenRecord } from '../cell/records.ts'
import type { ReadonlyTables } from '../cell/tables.ts'
import { JoinRefusedError } from './join-refused.ts'

export interface NewJoinToken {
  /** By name; the cluster must be active. */
  readonly cluster: string
  /** How many hosts it lets in. */
  readonly uses: number
  readonly lifetimeMs: number
}

export interface JoinTokenMaker {
  readonly now: number
  readonly createdBy: string
  /** The CA's own, which the token tells its hosts to look for. */
  readonly caHash: string
}

const secretHashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex')

/** Puts a token into the tables, without its secret, and gives the only text that has it. */
export function makeJoinToken(
  tx: Transaction,
  { cluster, uses, lifetimeMs }: NewJoinToken,
  { now, createdBy, caHash }: JoinTokenMaker,
): { readonly text: string; readonly record: JoinTokenRecord } {
  const id = randomBytes(5).toString('hex')
  const secret = randomBytes(24).toString('hex')
  const record: JoinTokenRecord = {
    id,
    secretHash: secretHashOf(secret),
    cluster,
    uses,
    used: 0,
    createdAt: now,
    createdBy,
    expiresAt: now + lifetimeMs,
  }
  tx.put('joinTokens', id, record)
  return { text: joinTokenText({ id, secret, caHash }), record }
}

/** Why a token lets nobody in, or that it would. */
export type JoinTokenStatus = 'ACTIVE' | 'EXPIRED' | 'USED_UP' | 'REVOKED'

export function joinTokenStatus(token: JoinTokenRecord, now: number): JoinTokenStatus {
  if (token.revokedAt !== undefined) return 'REVOKED'
  if (now >= token.expiresAt) return 'EXPIRED'
  return token.used >= token.uses ? 'USED_UP' : 'ACTIVE'
}

/**
 * The record of a token that somebody shows. What is wrong with a token is told only to who knows its secret.
 *
 * @throws JoinRefusedError unless it lets one more host in.
 */
export function usableJoinToken(tables: ReadonlyTables, text: string, now: number): JoinTokenRecord {
  const parts = parseJoinToken(text)
  const token = parts && tables.joinTokens.get(parts.id)
  if (!parts || !token || !isSecretOf(token, parts.secret))
    throw new JoinRefusedError(
      'TOKEN_INVALID',
      'The join token is not valid: it is not one that this control plane made.',
    )
  const { id } = token
  switch (joinTokenStatus(token, now)) {
    case 'REVOKED':
      throw new JoinRefusedError('TOKEN_REVOKED', `Join token ${id} was revoked. Make another one: berth token create`)
    case 'EXPIRED':
      throw new JoinRefusedError(
        'TOKEN_EXPIRED',
        `Join token ${id} expired at ${new Date(token.expiresAt).toISOString()}. Make another one: berth token create`,
      )
    case 'USED_UP':
      throw new JoinRefusedError(
        'TOKEN_USED_UP',
        `Join token ${id} is used up: it has let in ${token.used} of ${token.uses} hosts. Make another one: berth token create`,
      )
    default:
      return token
  }
}

const isSecretOf = (token: JoinTokenRecord, secret: string): boolean =>
  timingSafeEqual(Buffer.from(secretHashOf(secret), 'hex'), Buffer.from(token.secretHash, 'hex'))
