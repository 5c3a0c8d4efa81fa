/** What the baselines are asked: the host with the least memory left among those with enough of both. */
export interface BestFit {
  readonly name: string
  /** Takes the host for the task and books it; -1 when none fits. */
  take(cpu: number, memory: number): number
  /** Gives a task's share of a host back. */
  giveBack(host: number, cpu: number, memory: number): void
}

/** Hosts as objects, looked at as most would write it: filter those that fit, sort them, take the first. */
export function objectsWithFilterAndSort(cpuFree: Int32Array, memoryFree: Int32Array): BestFit {
  const hosts = Array.from(cpuFree, (cpu, id) => ({ id, cpu, memory: memoryFree[id] as number }))
  return {
    name: 'objects, filter and sort',
    take(cpu, memory) {
      const [best] = hosts
        .filter((host) => host.cpu >= cpu && host.memory >= memory)
        .sort((a, b) => a.memory - b.memory || a.cpu - b.cpu)
      if (best === undefined) return -1
      best.cpu -= cpu
      best.memory -= memory
      return best.id
    },
    giveBack(id, cpu, memory) {
      const host = hosts[id]
      if (host === undefined) return
      host.cpu += cpu
      host.memory += memory
    },
  }
}

/** Hosts as two typed arrays, and one pass over them for each task. */
export function typedScan(cpuBefore: Int32Array, memoryBefore: Int32Array): BestFit {
  const cpuFree = cpuBefore.slice()
  const memoryFree = memoryBefore.slice()
  return {
    name: 'scan over Int32Array',
    take(cpu, memory) {
      let best = -1
      let bestMemory = 0x7fffffff
      let bestCpu = 0x7fffffff
      for (let host = 0; host < cpuFree.length; host++) {
        const left = memoryFree[host] as number
        const cpuLeft = cpuFree[host] as number
        if (left < memory || cpuLeft < cpu || left > bestMemory || (left === bestMemory && cpuLeft >= bestCpu)) continue
        best = host
        bestMemory = left
        bestCpu = cpuLeft
      }
      if (best < 0) return -1
      cpuFree[best] = bestCpu - cpu
      memoryFree[best] = bestMemory - memory
      return best
    },
    giveBack(host, cpu, memory) {
      cpuFree[host] = (cpuFree[host] as number) + cpu
      memoryFree[host] = (memoryFree[host] as number) + memory
    },
  }
}
