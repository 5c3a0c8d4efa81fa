import { z } from 'zod'

/**
 * What a host and a control plane must agree on to trust each other: names in certificates, the form of join tokens, and the
 * one exchange that a host has before it has a certificate.
 */

/**
 * The name that agents check a control plane's certificate for, whatever address they reached it at: so that a control plane
 * that moves, or stands behind a load balancer, is still the same one. Only the cell's CA gives it out.
 */
export const controlPlaneServerName = 'control-plane.berth.internal'

/** Who a host's certificate says it is. */
export interface HostName {
  /** The cluster that its token was for. */
  readonly cluster: string
  /** What the host calls itself for life, as in Hello. */
  readonly hostId: string
}

const hostUriForm = /^berth:\/\/host\/([A-Za-z0-9_-]{1,255})\/([A-Za-z0-9-]{1,64})$/

/** The subject alternative name of a host's certificate. */
export const hostUri = ({ cluster, hostId }: HostName): string => `berth://host/${cluster}/${hostId}`

/** Who a subject alternative name is of; `undefined` for anything that is no host's. */
export function parseHostUri(uri: string): HostName | undefined {
  const [, cluster, hostId] = hostUriForm.exec(uri) ?? []
  return cluster === undefined || hostId === undefined ? undefined : { cluster, hostId }
}

/** Whether names can stand in a host's certificate. */
export const isHostName = (name: HostName): boolean => hostUriForm.test(hostUri(name))

/** The parts of a join token: `berth1.<id>.<secret>.<SHA-256 of the CA's certificate>`. */
export interface JoinToken {
  /** Shown in lists. */
  readonly id: string
  readonly secret: string
  /** SHA-256 of the DER of the CA's certificate, 64 hex digits: the host takes no other for its control plane. */
  readonly caHash: string
}

const joinTokenForm = /^berth1\.([a-z0-9]{8,32})\.([a-z0-9]{32,64})\.([0-9a-f]{64})$/

export const joinTokenText = ({ id, secret, caHash }: JoinToken): string => `berth1.${id}.${secret}.${caHash}`

/** Takes a token apart; `undefined` for text that is none. */
export function parseJoinToken(text: string): JoinToken | undefined {
  const [, id, secret, caHash] = joinTokenForm.exec(text.trim()) ?? []
  return id === undefined || secret === undefined || caHash === undefined ? undefined : { id, secret, caHash }
}

/** Where the API's listener tells anybody its CA's certificates (PEM), and where it takes hosts in. */
export const caPath = '/_berth/ca'
export const joinPath = '/_berth/join'

/** The largest request that is read there, in bytes. */
export const largestJoinRequest = 16 * 1024

/** What a host asks for with its token, or with the key of a certificate that has run out. */
export const joinRequestSchema = z.strictObject({
  token: z.string().max(512).optional(),
  hostId: z.string().max(64),
  /** By name; absent for the one that the token is for. */
  cluster: z.string().max(255).optional(),
  /** PEM, signed by the key that the host made for itself. */
  csr: z.string().max(8192),
})
export type JoinRequest = z.infer<typeof joinRequestSchema>

/** What it gets. */
export const joinAnswerSchema = z.object({
  /** PEM: the host's certificate, then whatever leads from it to a root. */
  certificate: z.string(),
  /** PEM: the roots to trust. */
  ca: z.string(),
  /** `host:port` where agents are listened for. */
  servers: z.array(z.string()).min(1),
  cluster: z.string(),
})
export type JoinAnswer = z.infer<typeof joinAnswerSchema>
