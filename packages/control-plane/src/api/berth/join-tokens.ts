import { z } from 'zod'
import type { JoinTokenRecord } from '../../cell/records.ts'
import { type JoinTokenStatus, joinTokenStatus, makeJoinToken } from '../../trust/join-tokens.ts'
import { resolveCluster } from '../ecs/arn-references.ts'
import { clientException, resourceNotFound } from '../errors.ts'
import { type CellChange, type CellView, timestamp } from './read-operation.ts'

const hour = 3600
/** A token that is valid for longer than a year is a password that nobody remembers. */
const longestLifetimeSeconds = 365 * 24 * hour

export const createJoinTokenInput = z.strictObject({
  cluster: z.string().optional(),
  uses: z.int().min(1).max(10_000).default(1),
  lifetimeSeconds: z.int().min(1).max(longestLifetimeSeconds).default(hour),
})
export const listJoinTokensInput = z.strictObject({})
export const revokeJoinTokenInput = z.strictObject({ id: z.string().min(1).max(64) })

/** A token as lists show it: all but its secret. Times in seconds since the epoch. */
export interface JoinTokenSummary {
  readonly id: string
  readonly cluster: string
  readonly status: JoinTokenStatus
  readonly uses: number
  readonly used: number
  readonly createdAt: number
  readonly createdBy: string
  readonly expiresAt: number
}

export interface CreateJoinTokenAnswer {
  /** Shown this once. */
  readonly token: string
  readonly joinToken: JoinTokenSummary
}

export interface ListJoinTokensAnswer {
  readonly joinTokens: readonly JoinTokenSummary[]
}

export interface RevokeJoinTokenAnswer {
  readonly joinToken: JoinTokenSummary
}

export function createJoinToken(
  { tx, scope, now, principalArn }: CellChange,
  input: z.infer<typeof createJoinTokenInput>,
  caHash: string,
): CreateJoinTokenAnswer {
  const { name, status } = resolveCluster(tx.tables, scope, input.cluster)
  if (status !== 'ACTIVE') throw clientException(`The cluster ${name} is not active.`)
  const wanted = { cluster: name, uses: input.uses, lifetimeMs: input.lifetimeSeconds * 1000 }
  const { text, record } = makeJoinToken(tx, wanted, { now, createdBy: principalArn, caHash })
  return { token: text, joinToken: summary(record, now) }
}

export const listJoinTokens = ({ tables, now }: CellView): ListJoinTokensAnswer => ({
  joinTokens: [...tables.joinTokens.values()]
    .toSorted((a, b) => a.createdAt - b.createdAt)
    .map((token) => summary(token, now)),
})

/** Hosts that it let in keep their certificates; it lets in no more. */
export function revokeJoinToken(
  { tx, now }: CellChange,
  { id }: z.infer<typeof revokeJoinTokenInput>,
): RevokeJoinTokenAnswer {
  const token = tx.tables.joinTokens.get(id)
  if (!token) throw resourceNotFound(`There is no join token ${id}.`)
  const revoked = { ...token, revokedAt: token.revokedAt ?? now }
  tx.put('joinTokens', id, revoked)
  return { joinToken: summary(revoked, now) }
}

const summary = (token: JoinTokenRecord, now: number): JoinTokenSummary => ({
  id: token.id,
  cluster: token.cluster,
  status: joinTokenStatus(token, now),
  uses: token.uses,
  used: token.used,
  createdAt: timestamp(token.createdAt),
  createdBy: token.createdBy,
  expiresAt: timestamp(token.expiresAt),
})
