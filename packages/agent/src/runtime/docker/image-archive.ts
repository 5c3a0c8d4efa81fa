import { createHash } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { pack } from 'tar-stream'

/** A file or a symbolic link of an image of one layer. */
export type ImageFile =
  | { readonly path: string; readonly content: Buffer; readonly mode: number }
  | { readonly path: string; readonly linkTo: string }
  | { readonly path: string; readonly directory: true; readonly mode: number }

export interface ImageContent {
  /** `repository:tag`. */
  readonly reference: string
  /** As Docker names it: `amd64` or `arm64`. */
  readonly architecture: string
  readonly files: readonly ImageFile[]
  readonly entryPoint?: readonly string[]
  readonly command?: readonly string[]
  readonly environment?: readonly string[]
  readonly stopSignal?: string
  readonly labels?: Readonly<Record<string, string>>
}

/**
 * An image as `docker load` takes it. Equal content gives equal bytes, and so the same image id on every host: making it
 * twice, even at the same moment, leaves one image.
 */
export async function imageArchive(content: ImageContent): Promise<Buffer> {
  const layer = await tar(content.files)
  const config = Buffer.from(JSON.stringify(imageConfig(content, layer)))
  const configPath = `${sha256(config)}.json`
  const manifest = [{ Config: configPath, RepoTags: [content.reference], Layers: ['layer.tar'] }]
  return tar([
    { path: configPath, content: config, mode: 0o644 },
    { path: 'layer.tar', content: layer, mode: 0o644 },
    { path: 'manifest.json', content: Buffer.from(JSON.stringify(manifest)), mode: 0o644 },
  ])
}

const longAgo = new Date(0)

function imageConfig(content: ImageContent, layer: Buffer) {
  return {
    architecture: content.architecture,
    os: 'linux',
    created: longAgo.toISOString(),
    config: {
      Entrypoint: content.entryPoint ?? null,
      Cmd: content.command ?? null,
      Env: content.environment ?? [],
      Labels: content.labels ?? null,
      ...(content.stopSignal === undefined ? {} : { StopSignal: content.stopSignal }),
    },
    rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] },
    history: [{ created: longAgo.toISOString(), created_by: 'berth' }],
  }
}

function tar(files: readonly ImageFile[]): Promise<Buffer> {
  const archive = pack()
  for (const file of files) {
    const header = { name: file.path, mtime: longAgo, uid: 0, gid: 0 }
    if ('content' in file) archive.entry({ ...header, mode: file.mode }, file.content)
    else if ('linkTo' in file) archive.entry({ ...header, type: 'symlink', linkname: file.linkTo })
    else archive.entry({ ...header, type: 'directory', mode: file.mode })
  }
  archive.finalize()
  return buffer(archive)
}

const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex')
