import { createPrivateKey, createPublicKey, webcrypto } from 'node:crypto'

/** A key that this host made, and its request for a certificate; both PEM. The key never leaves the host. */
export interface RequestedKey {
  readonly key: string
  readonly csr: string
}

const ellipticP256 = { name: 'ECDSA', namedCurve: 'P-256' } as const

/** Makes a new key, and the request for a certificate of it. */
export async function requestNewKey(): Promise<RequestedKey> {
  const keys = await webcrypto.subtle.generateKey(ellipticP256, true, ['sign', 'verify'])
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey))
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({ format: 'pem', type: 'pkcs8' })
  return { key: key as string, csr: await requestOf(keys) }
}

/** A request for a certificate of a key that there is already. */
export async function requestAgain(key: string): Promise<RequestedKey> {
  const privateDer = createPrivateKey(key).export({ format: 'der', type: 'pkcs8' })
  const publicDer = createPublicKey(key).export({ format: 'der', type: 'spki' })
  const keys = {
    privateKey: await webcrypto.subtle.importKey('pkcs8', privateDer, ellipticP256, false, ['sign']),
    publicKey: await webcrypto.subtle.importKey('spki', publicDer, ellipticP256, true, ['verify']),
  }
  return { key, csr: await requestOf(keys) }
}

/** What it says of names does not count: the control plane says who the host is. */
async function requestOf(keys: webcrypto.CryptoKeyPair): Promise<string> {
  // Needed once in many hours, and 5 MiB for as long as it is loaded: a host that has its certificate starts without.
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' }
  const request = await x509.Pkcs10CertificateRequestGenerator.create({ name: 'CN=host', keys, signingAlgorithm })
  return request.toString('pem')
}
