import { type Demand, NO_DEMAND } from '@berth/control-plane/scheduler/demand.ts'
import { HostFleet } from '@berth/control-plane/scheduler/host-fleet.ts'
import { type Random, randomBelow, seededRandom } from '@berth/shared/random.ts'
import type { Row } from '../measure.ts'
import { type Packing, STRATEGIES, addHost, put } from './quality-fleet.ts'
import { csvRows } from './traces.ts'

const RUNS = 10
const GPU = 1000

/** A task of openb: whole GPUs, or a share of one in thousandths. */
interface GpuTask {
  readonly cpu: number
  readonly memory: number
  readonly gpus: number
  readonly share: number
}

/**
 * The measure of FGD (ATC 2023) on openb: tasks are drawn from the trace until they have asked for 130 % of all GPUs; what
 * counts is the part of the GPUs that was given out. The mean of ten runs.
 *
 * Berth gives whole GPUs only. The shares of openb's tasks are done here, around the scheduler: a task of a share asks first for
 * a host that has a GPU which was begun and has as much left, and only then for a GPU of its own, which it begins. Placing
 * is Berth's in both.
 */
export function gpuRows(traces: string): Row[] {
  const hosts = csvRows(traces, 'openb_nodes.csv.gz').map(([, cpu, memory, gpus]) => ({
    cpu: Number(cpu),
    memory: Number(memory),
    gpus: Number(gpus),
  }))
  const tasks = csvRows(traces, 'openb_pods_default.csv.gz').map(([, cpu, memory, gpus, share]): GpuTask => ({
    cpu: Number(cpu),
    memory: Number(memory),
    gpus: Number(gpus),
    share: Number(gpus) === 1 ? Number(share) : GPU,
  }))
  const all = hosts.reduce((sum, { gpus }) => sum + gpus * GPU, 0)
  return Object.entries(STRATEGIES).map(([name, strategy]) => {
    let given = 0
    for (let seed = 0; seed < RUNS; seed++) {
      const fleet = new HostFleet()
      for (const host of hosts) addHost(fleet, host)
      given += drawTasks(
        new SharedGpus(fleet, strategy, seededRandom(seed)),
        tasks,
        all * 1.3,
        seededRandom(seed + RUNS),
      )
    }
    const percent = (given * 100) / (RUNS * all)
    const asked = name === 'Berth default' ? { asked: '>= 93.1', reached: percent >= 93.1 } : {}
    return {
      what: `openb, GPUs given out at 130 % demand, mean of ${RUNS}: ${name}`,
      figure: percent,
      unit: '%',
      ...asked,
    }
  })
}

function drawTasks(gpus: SharedGpus, tasks: readonly GpuTask[], demand: number, random: Random): number {
  let given = 0
  for (let asked = 0; asked < demand;) {
    const task = tasks[randomBelow(random, tasks.length)] as GpuTask
    asked += task.gpus * task.share
    if (gpus.place(task)) given += task.gpus * task.share
  }
  return given
}

/** A fleet whose GPUs can be divided. */
class SharedGpus {
  private readonly fleet: HostFleet
  private readonly strategy: Packing
  private readonly random: Random
  /** What is left of each GPU that was begun, by host. */
  private readonly begun = new Map<string, number[]>()

  constructor(fleet: HostFleet, strategy: Packing, random: Random) {
    this.fleet = fleet
    this.strategy = strategy
    this.random = random
  }

  place(task: GpuTask): boolean {
    const demand = { ...NO_DEMAND, cpu: task.cpu, memory: task.memory, gpus: task.gpus }
    if (task.gpus === 0 || task.share === GPU) return this.put(demand) !== undefined
    const onBegun = this.put({ ...demand, gpus: 0 }, (id) => this.leftFor(id, task.share) !== undefined)
    if (onBegun !== undefined) {
      const left = this.begun.get(onBegun) as number[]
      const at = this.leftFor(onBegun, task.share) as number
      left[at] = (left[at] as number) - task.share
      return true
    }
    const host = this.put(demand)
    if (host !== undefined) this.begun.set(host, [...(this.begun.get(host) ?? []), GPU - task.share])
    return host !== undefined
  }

  private put(demand: Demand, eligible?: (hostId: string) => boolean): string | undefined {
    const claim = put(this.fleet, this.strategy, demand, this.random, eligible)
    return claim === undefined ? undefined : this.fleet.describeClaim(claim).hostId
  }

  /** The number of the begun GPU of the host that has the least left of those with so much. */
  private leftFor(hostId: string, share: number): number | undefined {
    let best: number | undefined
    const left = this.begun.get(hostId) ?? []
    for (const [at, amount] of left.entries()) {
      if (amount >= share && (best === undefined || amount < (left[best] as number))) best = at
    }
    return best
  }
}
