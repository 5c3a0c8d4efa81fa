import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@berth/shared/clock.ts'
import { controlPlaneServerName, hostUri } from '@berth/shared/host-trust.ts'
import { describe, expect, onTestFinished, test } from 'vitest'
import { memoryDocument } from '../store/memory/memory-document.ts'
import type { SharedDocument } from '../store/shared-document.ts'
import {
  type CertificateAuthority,
  certificateAuthorityFromFiles,
  openCertificateAuthority,
  pemCertificates,
} from './certificate-authority.ts'
import { certificateHash, makeRoot } from './issue-certificate.ts'
import { SealError, sealer } from './seal.ts'
import { hostKey } from './testing/host-key.ts'
import { handshake } from './testing/tls-handshake.ts'

const host = { cluster: 'prod', hostId: '6a1f3c1e-0000-4000-8000-000000000001' }
const hour = 3600_000

interface World {
  readonly document: SharedDocument
  readonly sealer: ReturnType<typeof sealer>
  now: number
}
const world = (): World => ({ document: memoryDocument(), sealer: sealer(randomBytes(32)), now: Date.now() })
const open = (of: World) =>
  openCertificateAuthority({ ...of, cell: 'test', clock: { ...systemClock, now: () => of.now } })

async function hostCertificate(ca: CertificateAuthority, name = host) {
  const { key, csr } = await hostKey()
  return { key, certificate: await ca.certifyHost(csr, name, hour) }
}

describe("the cell's own CA", () => {
  test('is the same one for all control planes that open it at once', async () => {
    const of = world()
    const opened = await Promise.all([open(of), open(of), open(of)])
    expect(new Set(opened.map((ca) => ca.hash())).size).toBe(1)
    expect(certificateHash(opened[0]?.bundle() ?? '')).toBe(opened[0]?.hash())
  })

  test('does not show its key in the store, and cannot be opened with another secret key', async () => {
    const of = world()
    await open(of)
    expect(await of.document.read()).not.toContain('PRIVATE KEY')
    await expect(open({ ...of, sealer: sealer(randomBytes(32)) })).rejects.toThrow(SealError)
  })

  test('goes over to another secret key without a new root', async () => {
    const [old, next] = [randomBytes(32), randomBytes(32)]
    const of = { ...world(), sealer: sealer(old) }
    const before = await open(of)
    await before.rotate(hour)
    const both = await open({ ...of, sealer: sealer(next, old) })
    expect(await both.reseal()).toBe(2)
    expect((await open({ ...of, sealer: sealer(next) })).bundle()).toBe(before.bundle())
    await expect(open(of)).rejects.toThrow(SealError)
  })

  test('makes certificates by which host and control plane know each other', async () => {
    const ca = await open(world())
    const seen = await handshake({
      server: await ca.certifyServer(['10.0.0.1', 'berth.example']),
      serverTrusts: ca.bundle(),
      client: await hostCertificate(ca),
      clientTrusts: ca.bundle(),
      name: controlPlaneServerName,
    })
    expect(seen).toBe(`URI:${hostUri(host)}`)
  })

  test("does not let a host's certificate pass for a control plane's, nor the reverse", async () => {
    const ca = await open(world())
    const clientTrusts = ca.bundle()
    const name = controlPlaneServerName
    const server = await ca.certifyServer([])
    const asServer = handshake({ server: await hostCertificate(ca), clientTrusts, name })
    await expect(asServer).rejects.toThrow(/purpose/)
    const asHost = handshake({ server, serverTrusts: ca.bundle(), client: server, clientTrusts, name })
    await expect(asHost).rejects.toThrow('INVALID_PURPOSE')
  })

  test('does not count what another CA has signed', async () => {
    const [ca, other] = await Promise.all([open(world()), open(world())])
    const common = { serverTrusts: ca.bundle(), clientTrusts: ca.bundle(), name: controlPlaneServerName }
    const foreignServer = handshake({ ...common, server: await other.certifyServer([]) })
    await expect(foreignServer).rejects.toThrow(/self-signed certificate|unable to/)
    const foreignHost = handshake({
      ...common,
      server: await ca.certifyServer([]),
      client: await hostCertificate(other),
    })
    await expect(foreignHost).rejects.toThrow(/UNABLE_TO|SELF_SIGNED/)
  })

  test('answers only requests that are signed by their key, of the right kind', async () => {
    const ca = await open(world())
    await expect(ca.certifyHost('nonsense', host, hour)).rejects.toThrow('it is no PKCS #10 request')
    const { csr } = await hostKey('CN=aaaaaaaa')
    const forged = Buffer.from(csr.replaceAll(/-----.*-----|\s/g, ''), 'base64')
      .toString('latin1')
      .replace('aaaaaaaa', 'bbbbbbbb')
    const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${Buffer.from(forged, 'latin1').toString('base64')}\n-----END CERTIFICATE REQUEST-----`
    await expect(ca.certifyHost(pem, host, hour)).rejects.toThrow('it is not signed by the key that it is for')
  })
})

describe('a CA that is rotated', () => {
  test('signs by its new root at once, and both are trusted until the overlap is over', async () => {
    const of = world()
    const [ca, other] = [await open(of), await open(of)]
    const before = { bundle: ca.bundle(), host: await hostCertificate(ca), hash: ca.hash() }
    await ca.rotate(24 * hour)
    expect(ca.hash()).not.toBe(before.hash)
    expect(pemCertificates(ca.bundle())).toHaveLength(2)
    expect(other.hash()).toBe(before.hash)
    await other.refresh()
    expect(other.hash()).toBe(ca.hash())

    const name = controlPlaneServerName
    const server = await other.certifyServer([])
    const both = { server, serverTrusts: other.bundle(), name }
    // A host that has not heard of it yet: it knows the old root only, and its certificate is of the old one.
    await handshake({ ...both, client: before.host, clientTrusts: before.bundle })
    // A host that has renewed.
    await handshake({ ...both, client: await hostCertificate(ca), clientTrusts: ca.bundle() })
    await handshake({ ...both, client: await hostCertificate(ca), clientTrusts: pemCertificates(ca.bundle())[0] ?? '' })

    of.now += 25 * hour
    expect(pemCertificates(ca.bundle())).toHaveLength(1)
    expect(certificateHash(ca.bundle())).toBe(ca.hash())
    await expect(
      handshake({ ...both, serverTrusts: ca.bundle(), client: before.host, clientTrusts: before.bundle }),
    ).rejects.toThrow(/UNABLE_TO|SELF_SIGNED/)
  })

  test('may be rotated again before the overlap is over', async () => {
    const of = world()
    const ca = await open(of)
    const first = { bundle: ca.bundle(), host: await hostCertificate(ca) }
    await ca.rotate(24 * hour)
    await ca.rotate(24 * hour)
    expect(pemCertificates(ca.bundle())).toHaveLength(3)
    await handshake({
      server: await ca.certifyServer([]),
      serverTrusts: ca.bundle(),
      client: first.host,
      clientTrusts: first.bundle,
      name: controlPlaneServerName,
    })
  })
})

describe('a CA from files', () => {
  const filesOf = (certificate: string, key: string) => {
    const directory = mkdtempSync(join(tmpdir(), 'berth-ca-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const files = { certificate: join(directory, 'ca.crt'), key: join(directory, 'ca.key') }
    writeFileSync(files.certificate, certificate)
    writeFileSync(files.key, key)
    return files
  }
  const validity = { from: Date.now() - hour, until: Date.now() + 100 * hour }

  test('signs as the own one does, and is rotated by its owner', async () => {
    const root = await makeRoot('Example Inc.', validity)
    const ca = await certificateAuthorityFromFiles(filesOf(root.certificate, root.key), systemClock)
    await handshake({
      server: await ca.certifyServer([]),
      serverTrusts: ca.bundle(),
      client: await hostCertificate(ca),
      clientTrusts: root.certificate,
      name: controlPlaneServerName,
    })
    await expect(ca.rotate(hour)).rejects.toThrow('BERTH_CA_CERT_FILE')
  })

  test("is refused with another certificate's key", async () => {
    const [root, other] = [await makeRoot('a', validity), await makeRoot('b', validity)]
    const files = filesOf(root.certificate, other.key)
    await expect(certificateAuthorityFromFiles(files, systemClock)).rejects.toThrow('is not the key of the first')
  })
})
