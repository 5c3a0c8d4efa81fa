import type { ListenAddress } from './control-plane-kinds.ts'
import type { ControlPlaneConfig } from './control-plane-settings.ts'

const isLoopback = ({ host }: ListenAddress): boolean =>
  host === 'localhost' || host === '::1' || host.startsWith('127.')

/** Whether the API speaks HTTPS. */
export const apiUsesTls = ({ tls, listen }: Pick<ControlPlaneConfig, 'tls' | 'listen'>): boolean =>
  tls === 'on' || (tls === 'auto' && !isLoopback(listen))

/** Whether hosts must prove themselves by certificates. */
export const agentsUseTls = ({
  agentTls,
  agentListen,
}: Pick<ControlPlaneConfig, 'agentTls' | 'agentListen'>): boolean =>
  agentTls === 'mtls' || (agentTls === 'auto' && !isLoopback(agentListen))

/** What of the settings about TLS does not go together, in sentences. */
export function tlsContradictions(config: Partial<ControlPlaneConfig>): readonly string[] {
  const { tls, listen, agentTls, agentListen, secretKeyFile, tlsCertFile, tlsKeyFile, caCertFile, caKeyFile } = config
  const wrong: string[] = []
  if ((tlsCertFile === undefined) !== (tlsKeyFile === undefined))
    wrong.push('BERTH_TLS_CERT_FILE and BERTH_TLS_KEY_FILE: one is of no use without the other')
  if ((caCertFile === undefined) !== (caKeyFile === undefined))
    wrong.push('BERTH_CA_CERT_FILE and BERTH_CA_KEY_FILE: one is of no use without the other')
  if (secretKeyFile !== undefined) return wrong
  if (tls && listen && apiUsesTls({ tls, listen }) && tlsCertFile === undefined)
    wrong.push(
      'BERTH_LISTEN reaches beyond this machine, or BERTH_TLS is on, so the API speaks HTTPS: set BERTH_SECRET_KEY_FILE, BERTH_TLS_CERT_FILE, or BERTH_TLS=off to do without',
    )
  if (agentTls && agentListen && agentsUseTls({ agentTls, agentListen }))
    wrong.push(
      'BERTH_AGENT_LISTEN reaches beyond this machine, or BERTH_AGENT_TLS is mtls, so hosts need certificates: set BERTH_SECRET_KEY_FILE, or BERTH_AGENT_TLS=plaintext to do without',
    )
  return wrong
}
