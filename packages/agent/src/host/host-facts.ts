import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cpu, mem, osInfo } from 'systeminformation'
import type { RuntimeInfo } from '../runtime/container-runtime.ts'

/** What the machine is, as far as it stays the same while the agent runs. */
export interface HostFacts {
  readonly cpus: number
  readonly memoryMib: number
  readonly architecture: 'x86_64' | 'arm64'
  /** As `Debian GNU/Linux 12`. */
  readonly operatingSystem: string
  readonly kernel: string
  /** UUIDs of NVIDIA's cards, as Docker takes them. */
  readonly gpuIds: readonly string[]
}

const bytesPerMib = 1024 * 1024

/**
 * Reads the facts, once at the start: the library runs programs for some of them. Cores and memory are the container
 * engine's where it is known, since it may see less than the machine has, or be on another one.
 */
export async function readHostFacts(engine: RuntimeInfo | undefined): Promise<HostFacts> {
  const [processor, memory, system, gpuIds] = await Promise.all([cpu(), mem(), osInfo(), nvidiaGpus()])
  return {
    cpus: engine?.cpus ?? processor.cores,
    memoryMib: engine?.memoryMib ?? Math.floor(memory.total / bytesPerMib),
    architecture: cpuArchitecture(engine?.architecture ?? system.arch),
    operatingSystem: `${system.distro} ${system.release}`.trim(),
    kernel: system.kernel,
    gpuIds,
  }
}

/** ECS's word for the kernel's, Docker's or Node's. */
export const cpuArchitecture = (name: string): HostFacts['architecture'] =>
  ['aarch64', 'arm64'].includes(name) ? 'arm64' : 'x86_64'

/** The cards that NVIDIA's kernel module tells of, in the order of their bus addresses; none where it is not loaded. */
export async function nvidiaGpus(root = '/proc/driver/nvidia/gpus'): Promise<readonly string[]> {
  const addresses = await readdir(root).catch((): string[] => [])
  const texts = await Promise.all(
    addresses.sort().map((address) => readFile(join(root, address, 'information'), 'utf8').catch(() => '')),
  )
  return texts.flatMap((text) => /^GPU UUID:\s*(GPU-[0-9a-f-]+)/m.exec(text)?.[1] ?? [])
}
