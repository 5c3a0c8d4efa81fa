/** What the container engine has to give. */
export interface Machine {
  readonly cpus: number
  readonly memoryMib: number
}

/** What one host offers to tasks. */
export interface HostShare {
  /** CPU units, 1024 a core. */
  readonly cpu: number
  readonly memoryMib: number
}

const cpuUnitsPerCore = 1024

/** What is left to the system and to Berth's own processes: a tenth, but at least 512 MiB and at most 4 GiB. */
export const memoryReserveMib = (memoryMib: number): number => Math.min(4096, Math.max(512, Math.floor(memoryMib / 10)))

/** The least that an agent takes for a share. */
const leastShare: HostShare = { cpu: 128, memoryMib: 16 }

/**
 * Divides the machine among its hosts, so that together they promise no more than there is. On a machine that is too small
 * for so many hosts each has the least that a host can have.
 */
export function machineShare(machine: Machine, hosts: number): HostShare {
  const memoryMib = machine.memoryMib - memoryReserveMib(machine.memoryMib)
  return {
    cpu: Math.max(leastShare.cpu, Math.floor((machine.cpus * cpuUnitsPerCore) / hosts)),
    memoryMib: Math.max(leastShare.memoryMib, Math.floor(memoryMib / hosts)),
  }
}
