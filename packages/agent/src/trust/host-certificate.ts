import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { replacePrivateFile } from './private-file.ts'

const hostCertificateSchema = z.object({
  version: z.literal(1),
  /** PKCS #8, PEM. */
  key: z.string(),
  /** PEM: the host's own, then what leads to a root. */
  certificate: z.string(),
  /** PEM: the roots that the control plane is known by. */
  ca: z.string(),
  /** `host:port` where the control plane listens for agents. */
  servers: z.array(z.string()),
  /** `https://host:port` where this host joined. */
  joinedAt: z.string(),
  cluster: z.string(),
})

/** What this host proves itself with, and knows its control plane by. */
export type HostCertificate = Readonly<z.infer<typeof hostCertificateSchema>>

/** One file, so that key and certificate always belong together. */
const pathIn = (dataDir: string): string => join(dataDir, 'host-certificate.json')

/** @throws Error for a file that is none; an error of the file system for one that cannot be read. */
export async function readHostCertificate(dataDir: string): Promise<HostCertificate | undefined> {
  const path = pathIn(dataDir)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    return hostCertificateSchema.parse(JSON.parse(text))
  } catch {
    // Without the cause, which would show parts of the key.
    throw new Error(`${path} is not what the agent keeps there. Delete it, and join again: berth-agent join`)
  }
}

export const writeHostCertificate = (dataDir: string, certificate: HostCertificate): Promise<void> =>
  replacePrivateFile(pathIn(dataDir), `${JSON.stringify(certificate, undefined, 2)}\n`)

/** From when until when it counts, in ms since the epoch. */
export function validityOf({ certificate }: Pick<HostCertificate, 'certificate'>): { from: number; until: number } {
  const { validFrom, validTo } = new X509Certificate(certificate)
  return { from: Date.parse(validFrom), until: Date.parse(validTo) }
}
