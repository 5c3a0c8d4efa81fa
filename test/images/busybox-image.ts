import { readFile } from 'node:fs/promises'
import { type ImageContent, imageArchive } from '@berth/agent/runtime/docker/image-archive.ts'
import Docker from 'dockerode'

/** Where Debian's `busybox-static` puts the one program that the test images are made of. */
const busyboxPath = '/bin/busybox'

/** The links that scripts in a test image expect beside `sh`. */
const applets = ['sh', 'sleep', 'echo', 'cat', 'true', 'false', 'nc', 'httpd', 'ls', 'kill', 'env', 'hostname', 'ip']

export interface BusyboxImage {
  /** `repository:tag`. Default: `berth-test/busybox:latest`. */
  readonly reference?: string
  readonly entryPoint?: readonly string[]
  /** Default: a shell loop that ends with 0 on SIGTERM. */
  readonly command?: readonly string[]
  readonly environment?: readonly string[]
  readonly labels?: Readonly<Record<string, string>>
  /** Content by absolute path, as `{ '/www/index.html': 'hello' }`. */
  readonly files?: Readonly<Record<string, string>>
}

export const defaultBusyboxReference = 'berth-test/busybox:latest'

/** Runs until SIGTERM and then ends with 0: what a well-behaved server does. `wait` lets the trap run at once. */
export const untilStopped: readonly string[] = [
  'sh',
  '-c',
  'trap "exit 0" TERM; while :; do sleep 3600 & wait $!; done',
]

/** A web server on `port` that answers with the files under `/www`. */
export const httpServer = (port = 80): readonly string[] => ['httpd', '-f', '-p', String(port), '-h', '/www']

/**
 * Puts an image on the engine that needs no registry: Debian's static busybox and the command given. Making the same image
 * again costs little and changes nothing, since its id follows from its content.
 *
 * @returns the image's reference.
 * @throws Error that says how to install busybox where it is absent.
 */
export async function makeBusyboxImage(image: BusyboxImage = {}, docker: Docker = new Docker()): Promise<string> {
  const reference = image.reference ?? defaultBusyboxReference
  const archive = await imageArchive({
    reference,
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    files: await busyboxFiles(image.files ?? {}),
    command: image.command ?? untilStopped,
    environment: ['PATH=/bin', ...(image.environment ?? [])],
    ...(image.entryPoint === undefined ? {} : { entryPoint: image.entryPoint }),
    ...(image.labels === undefined ? {} : { labels: image.labels }),
  })
  const progress = await docker.loadImage(archive as unknown as NodeJS.ReadableStream, { quiet: true })
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(progress, (error) => (error === null ? resolve() : reject(error)))
  })
  return reference
}

async function busyboxFiles(files: Readonly<Record<string, string>>): Promise<ImageContent['files']> {
  const busybox = await readFile(busyboxPath).catch((cause: unknown) => {
    throw new Error(`${busyboxPath} is needed for test images: apt-get install busybox-static`, { cause })
  })
  return [
    { path: 'bin', directory: true, mode: 0o755 },
    { path: 'tmp', directory: true, mode: 0o1777 },
    { path: 'www', directory: true, mode: 0o755 },
    { path: 'bin/busybox', content: busybox, mode: 0o755 },
    ...applets.map((applet) => ({ path: `bin/${applet}`, linkTo: 'busybox' })),
    ...Object.entries(files).map(([path, text]) => ({
      path: path.replace(/^\/+/, ''),
      content: Buffer.from(text),
      mode: 0o644,
    })),
  ]
}
