import { createHash } from 'node:crypto'
import { invalidParameter } from '../errors.ts'

/** ECS's own limit on a client token, in characters. */
const clientTokenAtMost = 64

/**
 * The client token of a request, if it has one.
 *
 * @throws InvalidParameterException when it is longer than 64 characters, or has others than the printable ones of ASCII.
 */
export function clientTokenOf({ clientToken }: { readonly clientToken?: string | undefined }): string | undefined {
  if (clientToken === undefined || clientToken === '') return undefined
  if (clientToken.length > clientTokenAtMost || !/^[\x21-\x7e]+$/.test(clientToken))
    throw invalidParameter(`clientToken must have 1 to ${clientTokenAtMost} printable ASCII characters.`)
  return clientToken
}

/** What a request says besides its client token, as a hash: equal for equal requests, whatever the order of their members. */
export function requestFingerprint(input: object): string {
  return createHash('sha256')
    .update(JSON.stringify({ ...input, clientToken: undefined }, withSortedMembers))
    .digest('base64url')
}

function withSortedMembers(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
