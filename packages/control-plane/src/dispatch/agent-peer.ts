import type { TLSSocket } from 'node:tls'
import { type HostName, parseHostUri } from '@berth/shared/host-trust.ts'

/** Who is at the other end of an agent's connection. */
export type AgentPeer =
  /** The listener asks for no certificates. */
  | { readonly kind: 'anybody' }
  /** Its certificate says who it is; it counts until `until`, in ms since the epoch. */
  | { readonly kind: 'host'; readonly name: HostName; readonly until: number }
  /** It showed no certificate that counts. */
  | { readonly kind: 'stranger'; readonly reason: string }

/** What OpenSSL objects to, in a sentence for who runs the agent. */
const objections: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'The certificate of this host has run out.',
  CERT_NOT_YET_VALID: 'The certificate of this host does not count yet: is a clock wrong?',
  INVALID_PURPOSE: 'The certificate that was shown is not one for hosts.',
}
const foreign = "The certificate of this host is not from this control plane's CA. Join again with a token."

/** Who a TLS connection whose handshake is over is from. */
export function peerOf(socket: TLSSocket): AgentPeer {
  const certificate = socket.getPeerCertificate()
  if (Object.keys(certificate).length === 0)
    return { kind: 'stranger', reason: 'No certificate was shown. Join with a token: berth-agent join' }
  if (!socket.authorized) return { kind: 'stranger', reason: objections[String(socket.authorizationError)] ?? foreign }
  const name = parseHostUri(/^URI:(\S+)$/.exec(certificate.subjectaltname ?? '')?.[1] ?? '')
  if (!name) return { kind: 'stranger', reason: 'The certificate that was shown is not one for hosts.' }
  return { kind: 'host', name, until: Date.parse(certificate.valid_to) }
}
