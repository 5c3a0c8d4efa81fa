import 'reflect-metadata'
import { createHash, createPrivateKey, randomBytes, webcrypto, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { controlPlaneServerName, type HostName, hostUri } from '@berth/shared/host-trust.ts'
import * as x509 from '@peculiar/x509'

/** Who signs: a certificate of a CA, and its key. */
export interface Issuer {
  /** PEM. */
  readonly certificate: string
  /** PKCS #8, PEM. */
  readonly key: string
  /** PEM of what leads from the issuer to a root that hosts trust; they are sent along with each certificate. */
  readonly chain: readonly string[]
}

/** From when until when a certificate counts, in ms since the epoch. */
export interface Validity {
  readonly from: number
  readonly until: number
}

/** A certificate with what leads to its root, and its key where it was made here; both PEM. */
export interface KeyedCertificate {
  readonly certificate: string
  readonly key: string
}

/** A request for a certificate is not one that is answered. */
export class BadRequestForCertificateError extends Error {
  constructor(reason: string) {
    super(`The certificate request cannot be answered: ${reason}`)
    this.name = 'BadRequestForCertificateError'
  }
}

const ellipticP256 = { name: 'ECDSA', namedCurve: 'P-256' } as const
const sha256 = { name: 'ECDSA', hash: 'SHA-256' } as const

const generateKeys = () => webcrypto.subtle.generateKey(ellipticP256, true, ['sign', 'verify'])

async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key))
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({ format: 'pem', type: 'pkcs8' }) as string
}

/** The issuer's key for WebCrypto, with the algorithm that it signs by: elliptic or RSA, as own certificates may be. */
async function signingKey(pem: string): Promise<webcrypto.CryptoKey> {
  const key = createPrivateKey(pem)
  const der = key.export({ format: 'der', type: 'pkcs8' })
  const algorithm =
    key.asymmetricKeyType === 'rsa'
      ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
      : { name: 'ECDSA', namedCurve: key.asymmetricKeyDetails?.namedCurve === 'secp384r1' ? 'P-384' : 'P-256' }
  return webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign'])
}

const signingAlgorithm = (key: webcrypto.CryptoKey) =>
  key.algorithm.name === 'ECDSA' ? sha256 : { name: key.algorithm.name, hash: 'SHA-256' }

/** Positive, and far too long to be met twice. */
const serialNumber = () => `00${randomBytes(19).toString('hex')}`

const pemOf = (certificate: x509.X509Certificate): string => `${certificate.toString('pem').trim()}\n`

/** SHA-256 of a certificate's DER, 64 hex digits: what a join token pins. */
export const certificateHash = (pem: string): string =>
  createHash('sha256').update(new X509Certificate(pem).raw).digest('hex')

/** A new root. `name` tells it from others of the same cell. */
export async function makeRoot(name: string, { from, until }: Validity): Promise<KeyedCertificate> {
  const keys = await generateKeys()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [name] }],
    notBefore: new Date(from),
    notAfter: new Date(until),
    signingAlgorithm: sha256,
    keys,
    extensions: await authorityExtensions(keys.publicKey),
  })
  return { certificate: pemOf(certificate), key: await keyPem(keys.privateKey) }
}

/** The same root as a certificate that an older root signed: who trusts only the older one can follow it to the new one. */
export async function bridgeTo(root: string, issuer: Issuer, { from, until }: Validity): Promise<string> {
  const subject = new x509.X509Certificate(root)
  const key = await signingKey(issuer.key)
  return pemOf(
    await x509.X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      subject: subject.subjectName.toJSON(),
      issuer: new x509.X509Certificate(issuer.certificate).subjectName.toJSON(),
      notBefore: new Date(from),
      notAfter: new Date(until),
      publicKey: subject.publicKey,
      signingKey: key,
      signingAlgorithm: signingAlgorithm(key),
      extensions: await authorityExtensions(subject.publicKey),
    }),
  )
}

const authorityExtensions = async (key: x509.PublicKey | webcrypto.CryptoKey) => [
  new x509.BasicConstraintsExtension(true, undefined, true),
  new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
  await x509.SubjectKeyIdentifierExtension.create(key),
]

/**
 * The certificate of a control plane's listeners, with a key of its own that never leaves the process. It is for servers only: it
 * does not pass for a host's.
 */
export async function issueServerCertificate(
  issuer: Issuer,
  names: readonly string[],
  validity: Validity,
): Promise<KeyedCertificate> {
  const keys = await generateKeys()
  const all = [...new Set([controlPlaneServerName, ...names])]
  const alternatives = all.map((name) => ({ type: isIP(name) === 0 ? ('dns' as const) : ('ip' as const), value: name }))
  const certificate = await issue(issuer, keys.publicKey, controlPlaneServerName, validity, [
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth], true),
    new x509.SubjectAlternativeNameExtension(alternatives),
  ])
  return { certificate, key: await keyPem(keys.privateKey) }
}

/**
 * The certificate of a host, for the key that signed `csr`. What the request says of names and uses does not count: the certificate
 * says `host`, and is for clients only, so that a host cannot pass for a control plane.
 *
 * @throws BadRequestForCertificateError for a request that is none, is not signed by its key, or whose key is of another kind than P-256.
 */
export async function issueHostCertificate(
  issuer: Issuer,
  csr: string,
  host: HostName,
  validity: Validity,
): Promise<string> {
  const { publicKey } = await readRequest(csr)
  return issue(issuer, publicKey, `host ${host.hostId}`.slice(0, 64), validity, [
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth], true),
    new x509.SubjectAlternativeNameExtension([{ type: 'url', value: hostUri(host) }]),
  ])
}

/** SHA-256 of the public key that a request is for. @throws BadRequestForCertificateError as `issueHostCertificate`. */
export async function requestedKeyHash(csr: string): Promise<string> {
  const { publicKey } = await readRequest(csr)
  return createHash('sha256').update(Buffer.from(publicKey.rawData)).digest('hex')
}

async function readRequest(csr: string): Promise<x509.Pkcs10CertificateRequest> {
  let request: x509.Pkcs10CertificateRequest
  let isSigned: boolean
  try {
    request = new x509.Pkcs10CertificateRequest(csr)
    isSigned = await request.verify()
  } catch {
    throw new BadRequestForCertificateError('it is no PKCS #10 request.')
  }
  if (!isSigned) throw new BadRequestForCertificateError('it is not signed by the key that it is for.')
  const { algorithm } = request.publicKey
  if (algorithm.name !== 'ECDSA' || (algorithm as EcKeyAlgorithm).namedCurve !== 'P-256')
    throw new BadRequestForCertificateError('its key is not an elliptic one on P-256.')
  return request
}

interface EcKeyAlgorithm {
  readonly namedCurve?: string
}

async function issue(
  issuer: Issuer,
  publicKey: x509.PublicKey | webcrypto.CryptoKey,
  commonName: string,
  { from, until }: Validity,
  extensions: readonly x509.Extension[],
): Promise<string> {
  const authority = new x509.X509Certificate(issuer.certificate)
  const key = await signingKey(issuer.key)
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: [{ CN: [commonName] }],
    issuer: authority.subjectName.toJSON(),
    notBefore: new Date(from),
    notAfter: new Date(Math.min(until, authority.notAfter.getTime())),
    publicKey,
    signingKey: key,
    signingAlgorithm: signingAlgorithm(key),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey),
      ...extensions,
    ],
  })
  return [pemOf(certificate), ...issuer.chain].join('')
}
