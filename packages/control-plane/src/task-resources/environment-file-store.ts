import { open, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { Clock } from '@berth/shared/clock.ts'
import type { EnvironmentFileAddress } from './environment-file.ts'
import { ResourceError } from './secret-store.ts'

/** Where environment files come from: a stand-in for S3. */
export interface EnvironmentFileStore {
  /** @throws ResourceError that says why it cannot be had. */
  read(file: EnvironmentFileAddress, signal: AbortSignal): Promise<string>
}

/** Docker and the kernel take less than this as a process's environment. Bytes. */
const largestFile = 1024 * 1024
/** How long a server may take to answer, in ms. */
const fetchTimeoutMs = 10_000

/** A directory in which `bucket/key` lies, or the address of a server that answers with it. */
export function environmentFileStore(base: string | undefined, clock: Clock): EnvironmentFileStore {
  if (base === undefined) return noEnvironmentFiles
  return /^https?:\/\//.test(base) ? httpFiles(base, clock) : directoryFiles(base)
}

export const noEnvironmentFiles: EnvironmentFileStore = {
  read: () => Promise.reject(new ResourceError('the control plane has no file store: set BERTH_ENVIRONMENT_FILES')),
}

const directoryFiles = (directory: string): EnvironmentFileStore => ({
  async read({ bucket, key }) {
    let file
    try {
      const root = await realpath(directory)
      const path = await realpath(join(root, bucket, key))
      // A link inside the directory must not lead out of it.
      if (!path.startsWith(root + sep)) throw new ResourceError('NoSuchKey: The specified key does not exist.')
      file = await open(path, 'r')
      const { size } = await file.stat()
      if (size > largestFile) throw tooLarge()
      return await file.readFile('utf8')
    } catch (error) {
      if (error instanceof ResourceError) throw error
      const isAbsent = (error as NodeJS.ErrnoException).code === 'ENOENT'
      throw new ResourceError(
        isAbsent ? 'NoSuchKey: The specified key does not exist.' : `it cannot be read: ${(error as Error).message}`,
      )
    } finally {
      await file?.close()
    }
  },
})

const httpFiles = (base: string, clock: Clock): EnvironmentFileStore => ({
  async read({ bucket, key }, signal) {
    const url = [base.replace(/\/+$/, ''), bucket, ...key.split('/').map(encodeURIComponent)].join('/')
    const tooLate = new AbortController()
    const cancel = clock.after(fetchTimeoutMs, () => tooLate.abort(new Error(`no answer in ${fetchTimeoutMs} ms`)))
    try {
      const answer = await fetch(url, { signal: AbortSignal.any([signal, tooLate.signal]), redirect: 'error' })
      if (!answer.ok) throw new ResourceError(`the file store answered ${answer.status}`)
      return await limitedText(answer)
    } catch (error) {
      if (error instanceof ResourceError) throw error
      throw new ResourceError(`the file store cannot be reached: ${reasonOf(error)}`)
    } finally {
      cancel()
    }
  },
})

async function limitedText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body ?? []) {
    length += (chunk as Uint8Array).length
    if (length > largestFile) throw tooLarge()
    chunks.push(chunk as Uint8Array)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const tooLarge = (): ResourceError => new ResourceError(`it is larger than ${largestFile} bytes`)

/** `fetch` hides what went wrong in the cause. */
const reasonOf = (error: unknown): string => {
  const { message, cause } = error as Error
  return cause instanceof Error ? cause.message : message
}
