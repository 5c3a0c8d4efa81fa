import { randomBytes, randomInt } from 'node:crypto'
import type { Transaction } from '../cell/cell.ts'
import type { AccessKeyRecord } from '../cell/records.ts'
import type { Sealer } from './seal.ts'

/** What a secret access key is sealed for. */
export const accessKeyContext = (accessKeyId: string): string => `access key ${accessKeyId}`

const keyLetters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** A key that nobody has yet, of the form that AWS's have: 20 capitals and digits, a secret of 40 characters. */
export function newKeyPair(): { readonly accessKeyId: string; readonly secretAccessKey: string } {
  const letters = Array.from({ length: 16 }, () => keyLetters[randomInt(keyLetters.length)])
  return { accessKeyId: `AKIA${letters.join('')}`, secretAccessKey: randomBytes(30).toString('base64') }
}

/** Puts a new key into the tables, its secret sealed. */
export function makeAccessKey(
  tx: Transaction,
  name: string,
  { now, createdBy, sealer }: { readonly now: number; readonly createdBy: string; readonly sealer: Sealer },
): { readonly record: AccessKeyRecord; readonly secretAccessKey: string } {
  const { accessKeyId, secretAccessKey } = newKeyPair()
  const sealedSecret = sealer.seal(secretAccessKey, accessKeyContext(accessKeyId))
  const record: AccessKeyRecord = { accessKeyId, sealedSecret, name, status: 'ACTIVE', createdAt: now, createdBy }
  tx.put('accessKeys', accessKeyId, record)
  return { record, secretAccessKey }
}

/** Seals the secrets of all access keys anew, under the key that seals now. Returns how many there are. @throws SealError */
export function resealAccessKeys(tx: Transaction, sealer: Sealer): number {
  const keys = [...tx.tables.accessKeys.values()]
  for (const key of keys) {
    const context = accessKeyContext(key.accessKeyId)
    const sealedSecret = sealer.seal(sealer.open(key.sealedSecret, context), context)
    tx.put('accessKeys', key.accessKeyId, { ...key, sealedSecret })
  }
  return keys.length
}

/**
 * Opens the secrets of access keys; each is opened once and then remembered for as long as its record is the same.
 *
 * @throws SealError when the secret key is not the one that it was sealed with.
 */
export function accessKeySecrets(sealer: Sealer): (record: AccessKeyRecord) => string {
  const opened = new WeakMap<AccessKeyRecord, string>()
  return (record) => {
    const known = opened.get(record)
    if (known !== undefined) return known
    const secret = sealer.open(record.sealedSecret, accessKeyContext(record.accessKeyId))
    opened.set(record, secret)
    return secret
  }
}
