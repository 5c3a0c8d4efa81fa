import type { ArnScope } from '@berth/shared/arn.ts'
import { silentLog } from '@berth/shared/log.ts'
import { seededRandom } from '@berth/shared/random.ts'
import { type VirtualClock, virtualClock } from '@berth/shared/virtual-clock.ts'
import { Cell } from '../../../cell/cell.ts'
import type { CellRecords, TableName } from '../../../cell/records.ts'
import { type ControlPlaneDeps, defaultControlPlaneSettings } from '../../../control-plane-deps.ts'
import { memoryStore } from '../../../store/memory/memory-store.ts'
import type { RequestContext } from '../../operation.ts'

/** Account and region of everything in these tests. */
export const testScope: ArnScope = { partition: 'aws', region: 'us-east-1', account: '123456789012' }

/** Who asks in these tests. */
export const testPrincipal = 'arn:aws:iam::123456789012:root'

/** The first leader of an empty store. */
const fence = { epoch: 1, holder: 'test' }
/** Longer than any test runs on its virtual clock. */
const leaseMs = 365 * 24 * 3600_000

/** A leading cell over a store in memory, and what the operations over it are given. */
export interface TestControlPlane {
  readonly deps: ControlPlaneDeps
  readonly cell: Cell
  readonly clock: VirtualClock
  /** A request that has just arrived. */
  readonly context: (overrides?: Partial<RequestContext>) => RequestContext
  /** Writes a record past the API: what a host, a controller or another operation would have put there. */
  readonly put: <K extends TableName>(table: K, key: string, record: CellRecords[K]) => Promise<void>
}

/** A control plane on virtual time and seeded chance, with nothing in it. */
export function testControlPlane(seed = 1): TestControlPlane {
  const clock = virtualClock()
  const random = seededRandom(seed)
  const store = memoryStore({ clock })
  // The store does its calls in their order: the lease is there before the first commit asks for it.
  void store.acquireLease(fence.holder, leaseMs, { api: '', agents: '' })
  const cell = new Cell(
    {
      store,
      fence,
      clock,
      random,
      log: silentLog,
      defer: (run) => queueMicrotask(run),
      onLost: (reason) => {
        throw new Error(`the cell was lost: ${reason}`)
      },
    },
    { sequence: 0, records: [] },
  )
  return {
    deps: { cell: () => cell, clock, random, log: silentLog, scope: testScope, settings: defaultControlPlaneSettings },
    cell,
    clock,
    context: (overrides = {}) => ({
      requestId: '00000000-0000-4000-8000-000000000000',
      principalArn: testPrincipal,
      region: testScope.region,
      receivedAt: clock.now(),
      signal: new AbortController().signal,
      ...overrides,
    }),
    put: (table, key, record) => cell.transact((tx) => tx.put(table, key, record)),
  }
}
