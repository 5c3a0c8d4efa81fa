import { join } from 'node:path'
import { controlGroup } from '../../hosts/control-group.ts'
import { type DockerEngine, dockerEngine } from '../../hosts/docker-engine.ts'
import { labDisk } from '../../hosts/lab-disk.ts'
import { labNetwork } from '../../hosts/lab-network.ts'
import { claimSlot } from '../../hosts/lab-slot.ts'

/** A Docker engine of the bench's own: nothing of it touches the machine's. */
export interface PrivateEngine {
  readonly engine: DockerEngine
  /** Where it is reached by others of its kind. */
  readonly address: string
  /** Ends it and its containers, and removes all that it has made. */
  remove(): Promise<void>
}

const diskMib = 1024

/** Starts an engine in a network namespace of its own, its images and containers on a disk in memory. Swarm takes none with live-restore. */
export async function startPrivateEngine(): Promise<PrivateEngine> {
  const slot = await claimSlot()
  try {
    const network = await labNetwork(slot)
    const member = await network.join('h1', 11)
    const disk = await labDisk(join(slot.directory, 'docker'), diskMib)
    const engine = dockerEngine({
      member,
      group: controlGroup(`${slot.prefix}/h1`),
      signal: slot.signal,
      directory: slot.directory,
      dataRoot: disk.path,
      liveRestore: false,
    })
    await engine.start()
    return { engine, address: member.address, remove: () => slot.release() }
  } catch (error) {
    await slot.release()
    throw error
  }
}
