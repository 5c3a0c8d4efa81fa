import type { Clock } from '@berth/shared/clock.ts'
import type { Log } from '@berth/shared/log.ts'
import { type Random } from '@berth/shared/random.ts'
import { backoffDelay } from '@berth/shared/backoff.ts'
import { sleep } from '@berth/shared/clock.ts'
import type { AgentConfig } from './config/agent-settings.ts'
import { grpcTransport } from './session/grpc-transport.ts'
import type { SessionTransport } from './session/session-transport.ts'
import { keepCertificate } from './trust/certificate-renewal.ts'
import { certificateChannelOptions, certificateCredentials, renewOverGrpc } from './trust/grpc-trust.ts'
import { type HostCertificate, readHostCertificate, writeHostCertificate } from './trust/host-certificate.ts'
import { joinByKey, JoinError } from './trust/join-control-plane.ts'
import { joinHost } from './trust/join-host.ts'

export interface HostTrustDeps {
  readonly hostId: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Ends what is done in the background. */
  readonly signal: AbortSignal
}

/** How this host reaches its control plane, and what it is known by there. */
export interface HostTrust {
  readonly transport: SessionTransport
  readonly servers: readonly string[]
  /** Empty where a certificate says who the host is. */
  readonly token: string
}

/**
 * By the host's certificate where it has one, which is then kept from running out; it joins for one where it was told where. Without either,
 * connections are plain.
 *
 * @throws JoinError when the host is not let in.
 */
export async function openHostTrust(config: AgentConfig, deps: HostTrustDeps): Promise<HostTrust> {
  const { clock, log, signal } = deps
  const first = (await readHostCertificate(config.dataDir)) ?? (await joinAtStart(config, deps))
  if (first === undefined) return { transport: grpcTransport({ clock }), servers: config.servers, token: config.token }

  let current = first
  const servers = () => [...new Set([...current.servers, ...config.servers])]
  const renewing = keepCertificate(
    first,
    {
      ...deps,
      renew: (held, csr) => renewOverGrpc(clock, servers(), held, csr),
      renewLate: (held, csr) => joinByKey(held.joinedAt, { hostId: deps.hostId, csr }, held.ca),
      keep: async (next) => {
        await writeHostCertificate(config.dataDir, next)
        current = next
      },
    },
    signal,
  )
  renewing.catch((error: unknown) => log.error('The certificate of this host is not renewed any more.', { error }))
  const transport = grpcTransport({
    clock,
    credentials: () => certificateCredentials(current),
    channelOptions: certificateChannelOptions,
  })
  return { transport, servers: servers(), token: '' }
}

/** Joins as often as it takes, unless a person has to mend it. */
async function joinAtStart(config: AgentConfig, deps: HostTrustDeps): Promise<HostCertificate | undefined> {
  const { clock, random, log, hostId, signal } = deps
  const { joinServer, token, cluster, dataDir } = config
  if (joinServer === undefined) return undefined
  for (let attempt = 0; ; attempt++) {
    try {
      return await joinHost({ server: joinServer, token, cluster, hostId, dataDir })
    } catch (error) {
      if (!(error instanceof JoinError) || !error.isPassing) throw error
      log.warn('The control plane cannot let this host in yet.', { reason: error.message })
      await sleep(clock, backoffDelay(attempt, { baseMs: 200, maxMs: 5000 }, random), signal)
    }
  }
}
