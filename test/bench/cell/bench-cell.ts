import { ecsHandlers } from '@berth/control-plane/api/ecs/ecs-handlers.ts'
import type { EcsHandlers, RequestContext } from '@berth/control-plane/api/operation.ts'
import { hostRecord } from '@berth/control-plane/api/ecs/testing/records.ts'
import { Cell, defaultCellOptions } from '@berth/control-plane/cell/cell.ts'
import { type ControlPlaneDeps, defaultControlPlaneSettings } from '@berth/control-plane/control-plane-deps.ts'
import type { Store } from '@berth/control-plane/store/store.ts'
import { systemClock } from '@berth/shared/clock.ts'
import { silentLog } from '@berth/shared/log.ts'
import { systemRandom } from '@berth/shared/random.ts'

/** A cell with hosts and nothing on them, led by this process, and the operations over it without HTTP and signatures. */
export interface BenchCell {
  readonly cell: Cell
  readonly deps: ControlPlaneDeps
  readonly handlers: EcsHandlers
  readonly context: RequestContext
  readonly hostIds: readonly string[]
}

/** Hosts of the lab's usual size. */
const hostSize = { cpu: 4096, memoryMib: 16_384 }
/** So small that 125 of them fit on a host. */
const containerSize = { cpu: 32, memory: 131 }
export const family = 'small'
export const tasksPerHost = 125

export const scope = { partition: 'aws', region: 'us-east-1', account: '000000000000' }
const leaseMs = 3600_000

/** Leads a cell over `store`, and gives it `hosts` hosts in three zones and one task definition. */
export async function startBenchCell(store: Store, hosts: number, runTaskLimit = 1000): Promise<BenchCell> {
  const lease = await store.acquireLease('bench', leaseMs, { api: '', agents: '' })
  if (lease.kind !== 'held') throw new Error('the lease of a new cell was not free')
  const random = systemRandom()
  const cell = new Cell(
    {
      store,
      fence: lease.fence,
      clock: systemClock,
      random,
      log: silentLog,
      defer: (run) => void setImmediate(run),
      // A machine that is busy with other things is to make the figures bad, and not to end the run.
      options: { ...defaultCellOptions, commitTimeoutMs: 60_000 },
      onLost: (reason) => {
        throw new Error(reason)
      },
    },
    await store.load(),
  )
  const deps: ControlPlaneDeps = {
    cell: () => cell,
    clock: systemClock,
    random,
    log: silentLog,
    scope,
    settings: { ...defaultControlPlaneSettings, runTaskLimit },
  }
  const handlers = ecsHandlers(deps)
  const context: RequestContext = {
    requestId: '00000000-0000-4000-8000-000000000000',
    principalArn: `arn:aws:iam::${scope.account}:root`,
    region: scope.region,
    receivedAt: systemClock.now(),
    signal: new AbortController().signal,
  }
  await handlers.CreateCluster?.({ clusterName: 'default' }, context)
  await handlers.RegisterTaskDefinition?.(
    { family, containerDefinitions: [{ name: 'main', image: 'lab/small:1', essential: true, ...containerSize }] },
    context,
  )
  const hostIds = Array.from({ length: hosts }, (_, index) => index.toString(16).padStart(32, '0'))
  await cell.transact((tx) => {
    for (const [index, id] of hostIds.entries()) {
      const zone = `${scope.region}${'abc'[index % 3]}`
      const attributes = [{ name: 'ecs.availability-zone', value: zone, fromAgent: true }]
      tx.put('hosts', id, hostRecord(id, { ...hostSize, attributes }))
    }
  })
  return { cell, deps, handlers, context, hostIds }
}
