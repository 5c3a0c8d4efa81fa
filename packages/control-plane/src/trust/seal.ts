import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

/**
 * Keeps secrets at rest. `context` says what and whose the secret is (`access-key AKIA...`): what was sealed for one
 * context does not open for another, so that a record's secret cannot be moved into another record.
 */
export interface Sealer {
  /** Text that may lie in the store. The same secret is sealed differently each time. */
  seal(secret: string, context: string): string
  /** @throws SealError for what was sealed with another key or for another context, or was changed since. */
  open(sealed: string, context: string): string
}

/** A sealed secret does not open. */
export class SealError extends Error {
  constructor(context: string, options?: ErrorOptions) {
    super(
      `The secret of ${context} cannot be opened: it was sealed with another key than the one in BERTH_SECRET_KEY_FILE, or changed since.`,
      options,
    )
    this.name = 'SealError'
  }
}

export const secretKeyBytes = 32
const nonceBytes = 12
const tagBytes = 16
/** Says how what follows is sealed: AES-256-GCM; nonce, ciphertext and tag in base64url. */
const form = 's1.'

/** Seals with AES-256-GCM under `key`, 32 bytes. What was sealed under one of the `older` keys opens too. */
export function sealer(key: Buffer, ...older: readonly Buffer[]): Sealer {
  const keys = [key, ...older]
  for (const { length } of keys)
    if (length !== secretKeyBytes) throw new RangeError(`A secret key has ${secretKeyBytes} bytes, not ${length}.`)
  return {
    seal(secret, context) {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context))
      const parts = [nonce, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()]
      return form + Buffer.concat(parts).toString('base64url')
    },
    open(sealed, context) {
      const bytes = Buffer.from(sealed.slice(form.length), 'base64url')
      if (!sealed.startsWith(form) || bytes.length < nonceBytes + tagBytes) throw new SealError(context)
      let cause: unknown
      for (const each of keys)
        try {
          return openWith(each, bytes, context)
        } catch (error) {
          cause = error
        }
      throw new SealError(context, { cause })
    },
  }
}

function openWith(key: Buffer, bytes: Buffer, context: string): string {
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
  decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(-tagBytes))
  return decipher.update(bytes.subarray(nonceBytes, -tagBytes), undefined, 'utf8') + decipher.final('utf8')
}
