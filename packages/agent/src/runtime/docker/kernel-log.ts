import { closeSync, constants, openSync, readSync } from 'node:fs'

/** Where the kernel writes what it does. */
const kernelLogPath = '/dev/kmsg'

/** The kernel refuses a read that a record might not fit in, and none is longer. */
const longestRecord = 8192

/** Victims that are remembered: far more than a host has containers that ended and were not looked at yet. */
const remembered = 1000

/**
 * The containers of which the kernel killed a process for want of memory, as its log tells. It is written before the process
 * dies, and so before the engine knows of the end. The kernel leaves lines out of a storm: more than ten kills in five seconds.
 */
export class KernelLog {
  readonly #victims = new Set<string>()
  readonly #fd: number

  /** @throws where the log cannot be read: in most containers, and for whoever may not. */
  constructor(path = kernelLogPath) {
    this.#fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    // What is there already is read now, and not while the first containers start.
    this.#read()
  }

  /** Whether a process of the container was killed since it was last forgotten, or as long as the log goes back. */
  killed(runtimeId: string): boolean {
    this.#read()
    return this.#victims.has(runtimeId)
  }

  /** What happened to the container until now counts no more. */
  forget(runtimeId: string): void {
    this.#read()
    this.#victims.delete(runtimeId)
  }

  close(): void {
    closeSync(this.#fd)
  }

  /** To its end, which it comes to without waiting: the log is memory of the kernel's, and most reads find nothing new. */
  #read(): void {
    const buffer = Buffer.allocUnsafe(longestRecord)
    for (;;) {
      const text = readRecord(this.#fd, buffer)
      if (text === '') return
      for (const runtimeId of oomVictims(text ?? '')) this.#remember(runtimeId)
    }
  }

  #remember(runtimeId: string): void {
    this.#victims.delete(runtimeId)
    this.#victims.add(runtimeId)
    const [oldest] = this.#victims
    if (this.#victims.size > remembered && oldest !== undefined) this.#victims.delete(oldest)
  }
}

/** Empty at the end; `undefined` where records were overwritten before they were read, and the next is the oldest left. */
function readRecord(fd: number, buffer: Buffer): string | undefined {
  try {
    return buffer.toString('latin1', 0, readSync(fd, buffer))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return undefined
    return ''
  }
}

/**
 * The ids of the containers that a piece of the log names as those of the killed. The last of a path counts: an engine that
 * runs within a container has that one's cgroup above its own.
 */
export const oomVictims = (text: string): string[] =>
  Array.from(text.matchAll(/\boom-kill:.*\btask_memcg=[^,\n]*([0-9a-f]{64})/g), ([, id]) => id as string)
