import type { Demand } from '@berth/control-plane/scheduler/demand.ts'
import type { HostFleet } from '@berth/control-plane/scheduler/host-fleet.ts'
import { place } from '@berth/control-plane/scheduler/placement.ts'
import { DEFAULT_TASK_STRATEGY, type StrategyStep } from '@berth/control-plane/scheduler/strategy.ts'
import type { Random } from '@berth/shared/random.ts'

/** The pool that all hosts of a benchmark are in. */
export const POOL = 'bench'

/** A strategy of Berth's, or what it is compared with that is none: the first host, in the order in which they came, with enough of everything. */
export type Packing = readonly StrategyStep[] | 'first fit'

/** The strategies whose packing is compared. */
export const STRATEGIES: Readonly<Record<string, Packing>> = {
  'Berth default': DEFAULT_TASK_STRATEGY,
  'binpack:memory': [{ type: 'binpack', field: 'memory' }],
  'binpack:cpu': [{ type: 'binpack', field: 'cpu' }],
  'first fit': 'first fit',
  random: [{ type: 'random' }],
}

/** What a host of a trace has. */
export interface HostShape {
  readonly cpu: number
  readonly memory: number
  readonly gpus?: number
  readonly custom?: ReadonlyMap<string, number>
}

/** Adds a host that is ready for tasks; it is called by its number. */
export function addHost(fleet: HostFleet, shape: HostShape): void {
  fleet.putHost(
    {
      gpus: 0,
      ...shape,
      id: `host-${fleet.size}`,
      enis: 0,
      reservedPorts: [],
      attributes: new Map(),
      ec2InstanceId: '',
      agentVersion: '1.0.0',
      registeredAt: 0,
      pools: [POOL],
    },
    { agentConnected: true, status: 'ACTIVE' },
  )
}

/** Places one task on a host that is `eligible`: the number of its claim, or nothing when none can take it. */
export function put(
  fleet: HostFleet,
  strategy: Packing,
  demand: Demand,
  random: Random,
  eligible?: (hostId: string) => boolean,
): number | undefined {
  if (strategy === 'first fit') {
    const slot = firstFit(fleet, demand, eligible)
    return slot < 0 ? undefined : fleet.hold(slot, 'bench', demand, 'bench', [])
  }
  const request = {
    demand,
    strategy,
    constraints: [],
    requiredAttributes: [],
    group: 'bench',
    count: 1,
    pool: POOL,
    ...(eligible && { eligible }),
  }
  const [task] = place(fleet, request, random).placed
  return task && fleet.hold(task.slot, 'bench', demand, 'bench', [])
}

function firstFit(fleet: HostFleet, demand: Demand, eligible?: (hostId: string) => boolean): number {
  for (let slot = 0; slot < fleet.size; slot++) {
    const hasRoom =
      (fleet.cpuFree[slot] as number) >= demand.cpu &&
      (fleet.memoryFree[slot] as number) >= demand.memory &&
      (fleet.gpusFree[slot] as number) >= demand.gpus &&
      [...(demand.custom ?? [])].every(([name, amount]) => (fleet.customFree[slot]?.get(name) ?? 0) >= amount)
    if (hasRoom && (eligible === undefined || eligible(fleet.hostAt(slot).id))) return slot
  }
  return -1
}
