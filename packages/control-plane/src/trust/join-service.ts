import type { Clock } from '@berth/shared/clock.ts'
import {
  type HostName,
  isHostName,
  type JoinAnswer,
  joinRequestSchema,
  type JoinRequest,
} from '@berth/shared/host-trust.ts'
import type { Log } from '@berth/shared/log.ts'
import type { Cell } from '../cell/cell.ts'
import type { CertificateAuthority } from './certificate-authority.ts'
import { enrolAgain, enrolByToken, type JoiningHost, renewEnrolment } from './enrolment.ts'
import { BadRequestForCertificateError, requestedKeyHash } from './issue-certificate.ts'
import { JoinRefusedError } from './join-refused.ts'

export interface JoinServiceDeps {
  /** The cell that this process leads. @throws CellClosedError when it leads none. */
  readonly cell: () => Cell
  readonly ca: CertificateAuthority
  /** `host:port` where hosts are to look for the control plane. */
  readonly servers: () => readonly string[]
  readonly clock: Clock
  readonly log: Log
  /** How long a host's certificate counts, in ms. */
  readonly certificateLifetimeMs: number
  /** How long after its end a certificate may still be renewed with its key, in ms. */
  readonly lateRenewalMs: number
}

/** Gives hosts their certificates. What it decides is durable before a certificate is made. */
export interface JoinService {
  /**
   * Lets a host in, by its token or by the key that it had.
   *
   * @throws JoinRefusedError with one line for the person who tries.
   */
  join(body: unknown): Promise<JoinAnswer>
  /** A new certificate for a host that proved itself with the one that it has. @throws JoinRefusedError */
  renew(csr: string, host: HostName): Promise<Omit<JoinAnswer, 'cluster'>>
}

export function joinService(deps: JoinServiceDeps): JoinService {
  const { cell, ca, clock, log } = deps

  const joining = async (hostId: string, csr: string): Promise<JoiningHost> => ({
    hostId,
    keyHash: await requestedKeyHash(csr).catch(refuseBadRequest),
    until: clock.now() + deps.certificateLifetimeMs,
  })
  const certify = async (csr: string, host: HostName) => ({
    certificate: await ca.certifyHost(csr, host, deps.certificateLifetimeMs),
    ca: ca.bundle(),
    servers: [...deps.servers()],
  })

  return {
    async join(body) {
      const { hostId, csr, token, cluster } = parse(body)
      const host = await joining(hostId, csr)
      const now = clock.now()
      try {
        const name = await cell().transact((tx) =>
          token === undefined
            ? enrolAgain(tx, host, { now, graceMs: deps.lateRenewalMs })
            : enrolByToken(tx, host, { token, cluster }, now),
        )
        log.info('a host was let in', { ...name, by: token === undefined ? 'its key' : 'a join token' })
        return { ...(await certify(csr, name)), cluster: name.cluster }
      } catch (error) {
        if (error instanceof JoinRefusedError)
          log.warn('a host was not let in', { hostId, code: error.code, reason: error.message })
        throw error
      }
    },
    async renew(csr, { hostId, cluster }) {
      const host = await joining(hostId, csr)
      const name = await cell().transact((tx) => renewEnrolment(tx, host, cluster, clock.now()))
      return certify(csr, name)
    },
  }
}

function parse(body: unknown): JoinRequest {
  const { success, data } = joinRequestSchema.safeParse(body)
  if (!success || !isHostName({ cluster: data.cluster ?? 'any', hostId: data.hostId }))
    throw new JoinRefusedError('INVALID', 'The request to join is not one: is the agent of another version?')
  return data
}

function refuseBadRequest(error: unknown): never {
  if (error instanceof BadRequestForCertificateError) throw new JoinRefusedError('INVALID', error.message)
  throw error
}
