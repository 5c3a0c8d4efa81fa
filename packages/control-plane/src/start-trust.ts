import { readFile, rename, writeFile } from 'node:fs/promises'
import type { ServerOptions as TlsServerOptions } from 'node:https'
import { createSecureContext, type SecureContext } from 'node:tls'
import { backoffDelay } from '@berth/shared/backoff.ts'
import { sleep } from '@berth/shared/clock.ts'
import { caPath, controlPlaneServerName, joinPath, largestJoinRequest } from '@berth/shared/host-trust.ts'
import type { TrustDeps } from './api/berth/trust-operations.ts'
import { ApiError } from './api/errors.ts'
import type { Credential, CredentialLookup } from './api/sigv4.ts'
import type { UnsignedEndpoint } from './api/unsigned-endpoint.ts'
import type { Cell } from './cell/cell.ts'
import type { ControlPlaneConfig } from './config/control-plane-settings.ts'
import { apiUsesTls } from './config/tls-modes.ts'
import type { ControlPlaneSeams } from './start-control-plane.ts'
import type { RedisAddress } from './store/redis/redis-connection.ts'
import { redisDocument } from './store/redis/redis-document.ts'
import { StoreUnavailableError } from './store/store.ts'
import { accessKeySecrets } from './trust/access-keys.ts'
import { certificateAuthorityFromFiles, openCertificateAuthority } from './trust/certificate-authority.ts'
import { type ControlPlaneIdentity, controlPlaneIdentity } from './trust/control-plane-identity.ts'
import { limitedJoins, TooManyJoinsError } from './trust/join-endpoint.ts'
import { JoinRefusedError } from './trust/join-refused.ts'
import { type JoinService, joinService } from './trust/join-service.ts'
import { listenerNames } from './trust/listener-names.ts'
import { type Sealer, sealer } from './trust/seal.ts'
import { readOrMakeSecretKeys } from './trust/secret-key-file.ts'

export interface StartTrustDeps extends ControlPlaneSeams {
  readonly redis: RedisAddress
  readonly cell: () => Cell
  /** `host:port` where hosts are to look for the control plane. */
  readonly agentServers: () => readonly string[]
}

/** What a control plane with a secret key has: secrets at rest, a CA, hosts that are let in. */
export interface Trust {
  readonly sealer: Sealer
  readonly operations: TrustDeps
  readonly identity: ControlPlaneIdentity
  readonly joins: JoinService
  /** What the API answers without a signature. */
  readonly unsigned: ReadonlyMap<string, UnsignedEndpoint>
  stop(): void
}

/** Opens the secret key and the CA; `undefined` where no secret key is named. Waits for Redis for as long as that takes. */
export async function startTrust(config: ControlPlaneConfig, deps: StartTrustDeps): Promise<Trust | undefined> {
  const { clock, log, cell } = deps
  if (config.secretKeyFile === undefined) return undefined
  const seals = sealer(...(await readOrMakeSecretKeys(config.secretKeyFile, log)))
  const document = redisDocument({
    ...deps,
    address: deps.redis,
    cell: config.cell,
    name: 'ca',
    waitReplicas: config.redisReplicas,
  })
  const { caCertFile, caKeyFile } = config
  const ca =
    caCertFile !== undefined && caKeyFile !== undefined
      ? await certificateAuthorityFromFiles({ certificate: caCertFile, key: caKeyFile }, clock)
      : await whenStoreAnswers(deps, () =>
          openCertificateAuthority({ document, sealer: seals, clock, cell: config.cell }),
        )
  const identity = await controlPlaneIdentity({ ca, names: namesOf(config), clock, log })
  if (config.caBundleFile !== undefined) {
    const path = config.caBundleFile
    await replaceFile(path, ca.bundle())
    identity.onChange((now) => {
      replaceFile(path, now.ca).catch((error: unknown) => log.error('the CA bundle cannot be written', { path, error }))
    })
  }
  const joins = joinService({
    cell,
    ca,
    servers: deps.agentServers,
    clock,
    log,
    certificateLifetimeMs: config.agentCertificateMs,
    lateRenewalMs: config.agentCertificateGraceMs,
  })
  const join = limitedJoins(joins, clock)
  return {
    sealer: seals,
    operations: { sealer: seals, ca, caChanged: () => identity.refresh() },
    identity,
    joins,
    unsigned: new Map<string, UnsignedEndpoint>([
      [caPath, { method: 'GET', contentType: 'application/x-pem-file', answer: () => ca.bundle() }],
      [joinPath, { method: 'POST', maxBodyBytes: largestJoinRequest, handle: (body) => join(body).catch(refuse) }],
    ]),
    stop() {
      identity.stop()
      document.close()
    },
  }
}

/** The keys of the file, and those that were made; the latter only in a process that leads, where requests for them end up. */
export function allAccessKeys(
  ofFile: CredentialLookup,
  { cell, account, trust }: { readonly cell: () => Cell; readonly account: string; readonly trust: Trust | undefined },
): CredentialLookup {
  if (trust === undefined) return ofFile
  const secretOf = accessKeySecrets(trust.sealer)
  return (accessKeyId): Credential | undefined => {
    const known = ofFile(accessKeyId)
    if (known) return known
    const record = cell().tables.accessKeys.get(accessKeyId)
    if (record?.status !== 'ACTIVE') return undefined
    return { secretAccessKey: secretOf(record), principalArn: `arn:aws:iam::${account}:user/${record.name}` }
  }
}

/** What the API shows of itself. */
export interface ApiTls {
  /** As it is now. */
  readonly options: Pick<TlsServerOptions, 'cert' | 'key' | 'SNICallback' | 'minVersion'>
  /** Calls `renew` whenever there is another certificate of the own CA. */
  onChange(renew: (tls: Pick<TlsServerOptions, 'cert' | 'key'>) => void): void
}

/**
 * The certificate of the API: that of the files, or the own CA's. Hosts that join ask for the control plane by its own name, and
 * always get the own CA's, which is what their token knows.
 */
export async function apiTls(config: ControlPlaneConfig, trust: Trust | undefined): Promise<ApiTls | undefined> {
  if (!apiUsesTls(config)) return undefined
  const { tlsCertFile, tlsKeyFile } = config
  const minVersion = 'TLSv1.2' as const
  const own = () => {
    if (trust === undefined) throw new Error('there is neither a secret key nor a certificate for the API')
    const { certificate, key } = trust.identity.now()
    return { cert: certificate, key }
  }
  const ofFiles =
    tlsCertFile !== undefined && tlsKeyFile !== undefined
      ? { cert: await readFile(tlsCertFile, 'utf8'), key: await readFile(tlsKeyFile, 'utf8') }
      : undefined
  let ownContext: SecureContext | undefined
  trust?.identity.onChange(() => (ownContext = undefined))
  const SNICallback: NonNullable<TlsServerOptions['SNICallback']> = (name, done) => {
    if (name !== controlPlaneServerName || trust === undefined) return done(null)
    ownContext ??= createSecureContext({ ...own(), minVersion })
    done(null, ownContext)
  }
  return {
    options: { ...(ofFiles ?? own()), minVersion, SNICallback },
    onChange(renew) {
      if (ofFiles === undefined) trust?.identity.onChange(() => renew(own()))
    },
  }
}

/** A reader sees the old text or the new one, whole. */
async function replaceFile(path: string, content: string): Promise<void> {
  const next = `${path}.${process.pid}.new`
  await writeFile(next, content, { mode: 0o644 })
  await rename(next, path)
}

/** At a start Redis may be a moment later than this process. */
async function whenStoreAnswers<T>({ clock, random, log }: ControlPlaneSeams, ask: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error
      log.warn('the CA is waited for', { reason: error.message })
      await sleep(clock, backoffDelay(attempt, { baseMs: 200, maxMs: 2000 }, random))
    }
  }
}

const namesOf = ({ listen, agentListen, advertise, advertiseApi, tlsNames }: ControlPlaneConfig): readonly string[] => {
  const advertised = [advertise && `http://${advertise}`, advertiseApi].flatMap((url) => hostOf(url) ?? [])
  return listenerNames([listen.host, agentListen.host], [...advertised, ...tlsNames])
}

function hostOf(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined
  return new URL(url).hostname.replace(/^\[|\]$/g, '') || undefined
}

function refuse(error: unknown): never {
  if (error instanceof JoinRefusedError)
    throw new ApiError('AccessDeniedException', error.message, { httpStatus: 403, fields: { code: error.code } })
  if (error instanceof TooManyJoinsError) throw new ApiError('ThrottlingException', error.message, { httpStatus: 429 })
  throw error
}
