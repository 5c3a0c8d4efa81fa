import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'

/** A registry that images can really be pulled from; Docker speaks plain HTTP to one on the loopback address. */
export interface TinyRegistry {
  /** `127.0.0.1:port`: what image references begin with. */
  readonly address: string
  /** How often manifests were asked for, each pull asking at least once. */
  pulls(): number
  /** Puts an image of one file under `name:tag`, in the place of an earlier one, and returns its digest. */
  publish(name: string, tag: string, content: string | Buffer): Promise<string>
  /** Requests wait from now on until the function that is returned is called. */
  hold(): () => void
  /** From now on only these credentials are let in. */
  requireCredentials(username: string, password: string): void
  close(): Promise<void>
}

const manifestType = 'application/vnd.docker.distribution.manifest.v2+json'

/** Starts a registry on a free port. */
export async function tinyRegistry(): Promise<TinyRegistry> {
  const blobs = new Map<string, Buffer>()
  const manifests = new Map<string, Buffer>()
  let pulls = 0
  let held = Promise.resolve()
  let authorization: string | undefined

  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    response.setHeader('Docker-Distribution-API-Version', 'registry/2.0')
    if (authorization !== undefined && request.headers.authorization !== authorization) {
      response.setHeader('WWW-Authenticate', 'Basic realm="tiny"')
      refuse(response, 401, 'UNAUTHORIZED', 'authentication required')
      return
    }
    const [, name = '', kind, reference = ''] = /^\/v2\/(.+)\/(manifests|blobs)\/(.+)$/.exec(request.url ?? '') ?? []
    if (kind === undefined) {
      response.end('{}')
      return
    }
    if (kind === 'manifests') pulls += 1
    const found = kind === 'manifests' ? manifests.get(`${name}:${reference}`) : blobs.get(reference)
    if (found === undefined) {
      refuse(response, 404, kind === 'manifests' ? 'MANIFEST_UNKNOWN' : 'BLOB_UNKNOWN', `${reference} is unknown`)
      return
    }
    response.setHeader('Content-Type', kind === 'manifests' ? manifestType : 'application/octet-stream')
    response.setHeader('Content-Length', found.length)
    response.setHeader('Docker-Content-Digest', digestOf(found))
    response.end(request.method === 'HEAD' ? undefined : found)
  }

  const server = createServer((request, response) => {
    void held.then(() => answer(request, response))
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo

  return {
    address: `127.0.0.1:${port}`,
    pulls: () => pulls,
    async publish(name, tag, content) {
      const layer = await layerOf(content)
      const compressed = gzipSync(layer)
      const config = Buffer.from(
        JSON.stringify({
          architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
          os: 'linux',
          config: { Cmd: ['/content'] },
          rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
        }),
      )
      const manifest = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: manifestType,
          config: describe('application/vnd.docker.container.image.v1+json', config),
          layers: [describe('application/vnd.docker.image.rootfs.diff.tar.gzip', compressed)],
        }),
      )
      for (const blob of [config, compressed]) blobs.set(digestOf(blob), blob)
      manifests.set(`${name}:${tag}`, manifest)
      manifests.set(`${name}:${digestOf(manifest)}`, manifest)
      return digestOf(manifest)
    },
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>()
      held = promise
      return resolve
    },
    requireCredentials(username, password) {
      authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const digestOf = (data: Buffer): string => `sha256:${createHash('sha256').update(data).digest('hex')}`

const describe = (mediaType: string, data: Buffer) => ({ mediaType, size: data.length, digest: digestOf(data) })

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  response.statusCode = status
  response.setHeader('Content-Type', 'application/json')
  response.end(JSON.stringify({ errors: [{ code, message }] }))
}

function layerOf(content: string | Buffer): Promise<Buffer> {
  const archive = pack()
  archive.entry({ name: 'content', mtime: new Date(0), mode: 0o755 }, content)
  archive.finalize()
  return buffer(archive)
}
