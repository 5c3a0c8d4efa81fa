import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Clock } from '@berth/shared/clock.ts'
import type { HostName } from '@berth/shared/host-trust.ts'
import type { SharedDocument } from '../store/shared-document.ts'
import {
  bridges,
  caKeyContext,
  type CaRoots,
  parseCaRoots,
  signingRoot,
  trustedRoots,
  withNextRoot,
} from './ca-roots.ts'
import {
  bridgeTo,
  certificateHash,
  type Issuer,
  issueHostCertificate,
  issueServerCertificate,
  type KeyedCertificate,
  makeRoot,
} from './issue-certificate.ts'
import type { Sealer } from './seal.ts'

const hourMs = 3600_000
const dayMs = 24 * hourMs
/** How far behind the clock of a host may be: certificates count from so long before they were made. */
const clockSkewMs = hourMs
const rootLifetimeMs = 10 * 365 * dayMs
/** Of a control plane's own certificate, which its process makes anew at each start and after half of it. */
export const serverCertificateLifetimeMs = 14 * dayMs

/** Makes the certificates of a cell's hosts and control planes. */
export interface CertificateAuthority {
  /** PEM of all roots to be trusted now, the one that signs first. */
  bundle(): string
  /** SHA-256 of the root that signs, 64 hex digits. */
  hash(): string
  /** @throws BadRequestForCertificateError */
  certifyHost(csr: string, host: HostName, lifetimeMs: number): Promise<string>
  certifyServer(names: readonly string[]): Promise<KeyedCertificate>
  /** Looks whether another control plane has changed the roots. @throws StoreUnavailableError */
  refresh(): Promise<void>
  /**
   * Makes a new root that signs from now on. The roots before it are trusted for `overlapMs` more.
   *
   * @throws CaNotRotatableError for a CA whose root comes from files.
   */
  rotate(overlapMs: number): Promise<void>
  /** Seals the keys of all roots anew, under the key that seals now, and says how many there are: none where they are in a file. */
  reseal(): Promise<number>
}

/** The root comes from files: their owner rotates it. */
export class CaNotRotatableError extends Error {
  constructor() {
    super(
      'The CA is the one in BERTH_CA_CERT_FILE. Put the new certificate there, with the old one after it, and restart the control planes one by one.',
    )
    this.name = 'CaNotRotatableError'
  }
}

export interface CertificateAuthorityDeps {
  /** Where the roots are, their keys sealed. */
  readonly document: SharedDocument
  readonly sealer: Sealer
  readonly clock: Clock
  /** Stands in the names of roots. */
  readonly cell: string
}

/** Opens the cell's own CA, which is made if there is none. Of several control planes that make it at once, one wins and all use the same. */
export async function openCertificateAuthority(deps: CertificateAuthorityDeps): Promise<CertificateAuthority> {
  const { document, sealer, clock, cell } = deps

  const newRoot = async (): Promise<KeyedCertificate> => {
    const now = clock.now()
    // Two roots of one name could not be told apart by who looks for the issuer of a certificate.
    const name = `Berth CA of ${cell} ${randomBytes(4).toString('hex')}`.slice(-64)
    return makeRoot(name, { from: now - clockSkewMs, until: now + rootLifetimeMs })
  }
  const read = async (): Promise<string> => {
    const there = await document.read()
    if (there !== undefined) return there
    const { certificate, key } = await newRoot()
    const roots: CaRoots = { version: 1, roots: [{ certificate, sealedKey: sealer.seal(key, caKeyContext) }] }
    return document.swap(undefined, JSON.stringify(roots))
  }
  const use = (text: string) => {
    const roots = parseCaRoots(text)
    return { text, roots, key: sealer.open(signingRoot(roots).sealedKey, caKeyContext) }
  }
  let current = use(await read())

  const issuer = (): Issuer => ({
    certificate: signingRoot(current.roots).certificate,
    key: current.key,
    chain: bridges(current.roots, clock.now()),
  })
  const refresh = async () => {
    const text = await read()
    if (text !== current.text) current = use(text)
  }

  return {
    ...issuance(issuer, clock),
    bundle: () =>
      trustedRoots(current.roots, clock.now())
        .map(({ certificate }) => certificate)
        .join(''),
    refresh,
    async rotate(overlapMs) {
      await refresh()
      const before = current
      const now = clock.now()
      const { certificate, key } = await newRoot()
      const bridge = await bridgeTo(certificate, issuer(), { from: now - clockSkewMs, until: now + overlapMs })
      const next = { certificate, sealedKey: sealer.seal(key, caKeyContext), bridge }
      const roots = withNextRoot(before.roots, next, now, overlapMs)
      current = use(await document.swap(before.text, JSON.stringify(roots)))
    },
    async reseal() {
      await refresh()
      for (;;) {
        const before = current
        const roots = before.roots.roots.map((root) => ({
          ...root,
          sealedKey: sealer.seal(sealer.open(root.sealedKey, caKeyContext), caKeyContext),
        }))
        const next = JSON.stringify({ ...before.roots, roots })
        current = use(await document.swap(before.text, next))
        if (current.text === next) return roots.length
      }
    },
  }
}

/**
 * A CA that somebody else made: the first certificate of the file signs; what follows leads to its root, or is another root to be
 * trusted.
 *
 * @throws Error when the files cannot be read, or do not belong together.
 */
export async function certificateAuthorityFromFiles(
  files: { readonly certificate: string; readonly key: string },
  clock: Clock,
): Promise<CertificateAuthority> {
  const certificates = pemCertificates(await readFile(files.certificate, 'utf8'))
  const [certificate, ...others] = certificates
  if (certificate === undefined) throw new Error(`${files.certificate} holds no certificate.`)
  const key = await readFile(files.key, 'utf8')
  const parsed = new X509Certificate(certificate)
  if (!parsed.ca) throw new Error(`The first certificate in ${files.certificate} is not that of a CA.`)
  if (!parsed.checkPrivateKey(createPrivateKey(key)))
    throw new Error(`${files.key} is not the key of the first certificate in ${files.certificate}.`)
  const isRoot = (pem: string) => new X509Certificate(pem).checkIssued(new X509Certificate(pem))
  const chain = isRoot(certificate) ? [] : [certificate, ...others.filter((pem) => !isRoot(pem))]
  return {
    ...issuance(() => ({ certificate, key, chain }), clock),
    bundle: () => certificates.join(''),
    refresh: () => Promise.resolve(),
    rotate: () => Promise.reject(new CaNotRotatableError()),
    reseal: () => Promise.resolve(0),
  }
}

function issuance(
  issuer: () => Issuer,
  clock: Clock,
): Pick<CertificateAuthority, 'hash' | 'certifyHost' | 'certifyServer'> {
  const validFor = (lifetimeMs: number) => {
    const now = clock.now()
    return { from: now - Math.min(clockSkewMs, lifetimeMs / 2), until: now + lifetimeMs }
  }
  return {
    hash: () => certificateHash(issuer().certificate),
    certifyHost: (csr, host, lifetimeMs) => issueHostCertificate(issuer(), csr, host, validFor(lifetimeMs)),
    certifyServer: (names) => issueServerCertificate(issuer(), names, validFor(serverCertificateLifetimeMs)),
  }
}

/** Each certificate of a PEM file. */
export const pemCertificates = (text: string): readonly string[] =>
  [...text.matchAll(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g)].map(([pem]) => `${pem}\n`)
