import { z } from 'zod'
import type { AccessKeyRecord } from '../../cell/records.ts'
import { makeAccessKey } from '../../trust/access-keys.ts'
import type { Sealer } from '../../trust/seal.ts'
import { clientException, resourceNotFound } from '../errors.ts'
import { type CellChange, type CellView, timestamp } from './read-operation.ts'

/** As IAM's names of users. `root` is who the keys of the file may be. */
export const createAccessKeyInput = z.strictObject({ name: z.string().regex(/^[\w+=,.@-]{1,64}$/) })
export const listAccessKeysInput = z.strictObject({})
const accessKeyId = z.string().min(1).max(128)
export const updateAccessKeyInput = z.strictObject({ accessKeyId, status: z.enum(['ACTIVE', 'INACTIVE']) })
export const deleteAccessKeyInput = z.strictObject({ accessKeyId })

/** A key as lists show it: all but its secret. */
export interface AccessKeySummary {
  readonly accessKeyId: string
  readonly name: string
  readonly status: 'ACTIVE' | 'INACTIVE'
  /** In seconds since the epoch. */
  readonly createdAt: number
  readonly createdBy: string
}

export interface CreateAccessKeyAnswer {
  readonly accessKey: AccessKeySummary
  /** Shown this once. */
  readonly secretAccessKey: string
}

export interface ListAccessKeysAnswer {
  readonly accessKeys: readonly AccessKeySummary[]
}

export interface AccessKeyAnswer {
  readonly accessKey: AccessKeySummary
}

export function createAccessKey(
  { tx, now, principalArn }: CellChange,
  { name }: z.infer<typeof createAccessKeyInput>,
  sealer: Sealer,
): CreateAccessKeyAnswer {
  if (name === 'root') throw clientException('The name root is for the keys in BERTH_ACCESS_KEYS_FILE.')
  const { record, secretAccessKey } = makeAccessKey(tx, name, { now, createdBy: principalArn, sealer })
  return { accessKey: summary(record), secretAccessKey }
}

/** Those in BERTH_ACCESS_KEYS_FILE are not among them. */
export const listAccessKeys = ({ tables }: CellView): ListAccessKeysAnswer => ({
  accessKeys: [...tables.accessKeys.values()].toSorted((a, b) => a.createdAt - b.createdAt).map(summary),
})

export function updateAccessKey(
  { tx }: CellChange,
  { accessKeyId, status }: z.infer<typeof updateAccessKeyInput>,
): AccessKeyAnswer {
  const changed = { ...keyOf(tx, accessKeyId), status }
  tx.put('accessKeys', accessKeyId, changed)
  return { accessKey: summary(changed) }
}

export function deleteAccessKey(
  { tx }: CellChange,
  { accessKeyId }: z.infer<typeof deleteAccessKeyInput>,
): AccessKeyAnswer {
  const key = keyOf(tx, accessKeyId)
  tx.delete('accessKeys', accessKeyId)
  return { accessKey: summary(key) }
}

function keyOf(tx: CellChange['tx'], accessKeyId: string): AccessKeyRecord {
  const key = tx.tables.accessKeys.get(accessKeyId)
  if (key) return key
  throw resourceNotFound(`There is no access key ${accessKeyId}, or it is one of BERTH_ACCESS_KEYS_FILE.`)
}

const summary = ({ accessKeyId, name, status, createdAt, createdBy }: AccessKeyRecord): AccessKeySummary => ({
  accessKeyId,
  name,
  status,
  createdAt: timestamp(createdAt),
  createdBy,
})
