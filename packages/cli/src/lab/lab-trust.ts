import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { certificateChannelOptions, certificateCredentials } from '@berth/agent/trust/grpc-trust.ts'
import { requestNewKey } from '@berth/agent/trust/certificate-request.ts'
import { grpcTransport } from '@berth/agent/session/grpc-transport.ts'
import type { SessionTransport } from '@berth/agent/session/session-transport.ts'
import { certificateAuthorityFromFiles } from '@berth/control-plane/trust/certificate-authority.ts'
import { makeRoot } from '@berth/control-plane/trust/issue-certificate.ts'
import type { Clock } from '@berth/shared/clock.ts'
import type { HostName } from '@berth/shared/host-trust.ts'

/** Where a lab's own CA lies. It lives in the lab's directory, and no longer than the lab. */
export interface LabTrust {
  readonly caCertFile: string
  readonly caKeyFile: string
}

const hourMs = 3600_000
/** No lab runs so long that a certificate of its hosts would have to be renewed. */
const lifetimeMs = 7 * 24 * hourMs

/** Makes a CA that both the control plane and the processes that play hosts are given. */
export async function makeLabTrust(directory: string, clock: Clock): Promise<LabTrust> {
  const now = clock.now()
  const root = await makeRoot('Berth CA of a lab', { from: now - hourMs, until: now + 2 * lifetimeMs })
  const files = { caCertFile: join(directory, 'lab-ca.pem'), caKeyFile: join(directory, 'lab-ca-key.pem') }
  writeFileSync(files.caCertFile, root.certificate)
  writeFileSync(files.caKeyFile, root.key, { mode: 0o600 })
  return files
}

/** How a control plane is told to take hosts by certificates of this CA only. */
export const trustSettings = ({ caCertFile, caKeyFile }: LabTrust): NodeJS.ProcessEnv => ({
  BERTH_AGENT_TLS: 'mtls',
  BERTH_CA_CERT_FILE: caCertFile,
  BERTH_CA_KEY_FILE: caKeyFile,
})

/** Makes the transport of one host, over which it proves itself by a certificate of its own. */
export type TransportOfHost = (host: HostName) => Promise<SessionTransport>

export const plainTransports =
  (clock: Clock): TransportOfHost =>
  async () =>
    grpcTransport({ clock })

/**
 * Certifies hosts as a control plane does that lets them in, but without asking it: a control plane takes 50 joins a second.
 * All hosts of a process have one key, which spares the making of thousands; each has a certificate that says who it is.
 */
export async function certifiedTransports(trust: LabTrust, clock: Clock): Promise<TransportOfHost> {
  const ca = await certificateAuthorityFromFiles({ certificate: trust.caCertFile, key: trust.caKeyFile }, clock)
  const { key, csr } = await requestNewKey()
  return async (host) => {
    const certificate = await ca.certifyHost(csr, host, lifetimeMs)
    const proof = { ca: ca.bundle(), key, certificate }
    return grpcTransport({
      clock,
      credentials: () => certificateCredentials(proof),
      channelOptions: certificateChannelOptions,
    })
  }
}
