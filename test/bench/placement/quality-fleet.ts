import type { Demand } from '@berth/control-plane/scheduler/demand.ts'
import type { HostFleet } from '@berth/control-plane/scheduler/host-fleet.ts'
import { place } from '@berth/control-plane/scheduler/placement.ts'
import { DEFAULT_TASK_STRATEGY, type StrategyStep } from '@berth/control-plane/scheduler/strategy.ts'
import type { Random } from '@berth/shared/random.ts'

/** The pool that all hosts of a benchmark are in. */
export const POOL = 'bench'

/** The strategies whose packing is compared. */
export const STRATEGIES: Readonly<Record<string, readonly StrategyStep[]>> = {
  'Berth default': DEFAULT_TASK_STRATEGY,
  'binpack:memory': [{ type: 'binpack', field: 'memory' }],
  'binpack:cpu': [{ type: 'binpack', field: 'cpu' }],
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
  strategy: readonly StrategyStep[],
  demand: Demand,
  random: Random,
  eligible?: (hostId: string) => boolean,
): number | undefined {
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
