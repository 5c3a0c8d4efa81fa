import { join } from 'node:path'
import { readFile, rm } from 'node:fs/promises'
import { requestAgain, requestNewKey } from './certificate-request.ts'
import { type HostCertificate, writeHostCertificate } from './host-certificate.ts'
import { joinByToken } from './join-control-plane.ts'
import { replacePrivateFile } from './private-file.ts'

export interface JoinHostRequest {
  /** `https://host:port` of a control plane's API. */
  readonly server: string
  readonly token: string
  /** By name; absent for the one that the token is for. */
  readonly cluster?: string
  readonly hostId: string
  readonly dataDir: string
}

/**
 * Gets this host its certificate and keeps it. A try whose answer was lost is made again with the same key, and so takes no
 * second use off the token.
 *
 * @throws JoinError
 */
export async function joinHost({ server, token, cluster, hostId, dataDir }: JoinHostRequest): Promise<HostCertificate> {
  const pending = join(dataDir, 'joining.key')
  const before = await readFile(pending, 'utf8').catch(() => undefined)
  const { key, csr } = before === undefined ? await requestNewKey() : await requestAgain(before)
  if (before === undefined) await replacePrivateFile(pending, key)
  const asked = { token, hostId, csr, ...(cluster !== undefined && { cluster }) }
  const answer = await joinByToken(server, asked)
  const certificate: HostCertificate = { version: 1, key, ...answer, joinedAt: server }
  await writeHostCertificate(dataDir, certificate)
  await rm(pending, { force: true })
  return certificate
}
