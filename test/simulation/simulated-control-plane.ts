import type { Random } from '@berth/shared/random.ts'
import { randomHex } from '@berth/shared/random.ts'
import type { Clock } from '@berth/shared/clock.ts'
import { silentLog } from '@berth/shared/log.ts'
import { parseArn } from '@berth/shared/arn.ts'
import { taskStatusOfRank } from '@berth/shared/task-status.ts'
import type { StatusReport } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { ecsHandlers } from '@berth/control-plane/api/ecs/ecs-handlers.ts'
import type { Cell } from '@berth/control-plane/cell/cell.ts'
import { applyTaskReport } from '@berth/control-plane/cell/task-changes.ts'
import { type CellComponent, Leadership } from '@berth/control-plane/cell/leadership.ts'
import type { ControlPlaneDeps, ControlPlaneSettings } from '@berth/control-plane/control-plane-deps.ts'
import { lostHostsController } from '@berth/control-plane/controllers/lost-hosts.ts'
import { rebalanceController } from '@berth/control-plane/controllers/rebalance.ts'
import { reaperController } from '@berth/control-plane/controllers/reaper.ts'
import { serviceController } from '@berth/control-plane/controllers/services.ts'
import { taskSetController } from '@berth/control-plane/controllers/task-sets.ts'
import { daemonController } from '@berth/control-plane/controllers/daemons.ts'
import { taskQueueController } from '@berth/control-plane/controllers/task-queue.ts'
import { ensureDefaultCluster } from '@berth/control-plane/default-cluster.ts'
import { noResourceStores } from '@berth/control-plane/task-resources/container-resources.ts'
import { Dispatcher } from '@berth/control-plane/dispatch/dispatcher.ts'
import type { Store } from '@berth/control-plane/store/store.ts'
import type { Server, ServerEnd } from './network.ts'
import type { Plant } from './plants.ts'
import { type SimulatedProcess, simulatedProcess } from './simulated-process.ts'

export interface SimulatedControlPlaneDeps {
  readonly clock: Clock
  readonly random: Random
  /** The store as this process reaches it. */
  readonly store: Store
  /** Where agents reach it. */
  readonly address: string
  readonly settings: ControlPlaneSettings
  readonly plant: Plant | undefined
  /** Told of each cell that this process leads, before anything happens to it. */
  readonly onLead: (cell: Cell) => void
}

/** One control-plane process: all that `start-control-plane.ts` wires, but for HTTP and gRPC. */
export interface SimulatedControlPlane {
  readonly address: string
  readonly process: SimulatedProcess
  readonly handlers: ReturnType<typeof ecsHandlers>
  readonly leading: boolean
  /** The cell that it leads. @throws CellClosedError when it leads none. */
  cell(): Cell
  readonly server: Server
}

export const scope = { partition: 'aws', region: 'us-east-1', account: '123456789012' } as const

/** Length of the leader's lease, in ms. */
const leaseMs = 5000
const heartbeatIntervalMs = 5000

export function startSimulatedControlPlane(deps: SimulatedControlPlaneDeps): SimulatedControlPlane {
  const { random, address, settings, plant } = deps
  const process = simulatedProcess(deps.clock)
  const { clock } = process
  const log = silentLog
  const defer = (run: () => void) => void clock.after(0, run)
  const planeDeps: ControlPlaneDeps = { cell: () => leadership.currentCell(), clock, random, log, scope, settings }
  let dispatcher: Dispatcher | undefined
  let dispatchedCell: Cell | undefined

  const components: readonly CellComponent[] = [
    {
      name: 'observer',
      start(cell) {
        if (plant === 'claims') cell.fleet.hosts.claim = () => {}
        deps.onLead(cell)
      },
      stop() {},
    },
    { name: 'default cluster', start: (cell) => ensureDefaultCluster(cell, planeDeps), stop() {} },
    lostHostsController({ ...planeDeps, defer }),
    serviceController({ ...planeDeps, defer }),
    daemonController({ ...planeDeps, defer }),
    taskSetController({ ...planeDeps, defer }),
    taskQueueController({ ...planeDeps, defer }),
    rebalanceController({ ...planeDeps, defer }),
    reaperController(planeDeps),
    {
      name: 'dispatch',
      start(cell) {
        dispatchedCell = plant === 'orders after durability' ? withOrdersBeforeDurability(cell) : cell
        dispatcher = new Dispatcher(
          {
            ...planeDeps,
            defer,
            authenticate: () => true,
            heartbeatIntervalMs,
            raiseAbove: (epoch) => leadership.raiseAbove(epoch),
            resources: noResourceStores,
          },
          dispatchedCell,
        )
        dispatcher.start()
      },
      stop() {
        dispatcher?.stop('this control plane does not lead any more')
        dispatcher = undefined
      },
    },
  ]

  const leadership = new Leadership({
    store: answeredStore(deps.store, process),
    holder: `control-plane-${randomHex(random, 8)}`,
    addresses: { api: '', agents: address },
    ttlMs: leaseMs,
    components,
    clock,
    random,
    log,
    defer,
  })
  void leadership.start()

  const handlerDeps =
    plant === 'answers after durability'
      ? { ...planeDeps, cell: () => withHastyAnswers(leadership.currentCell()) }
      : planeDeps
  return {
    address,
    process,
    handlers: ecsHandlers(handlerDeps),
    get leading() {
      return process.state === 'alive' && leadership.leading
    },
    cell: () => leadership.currentCell(),
    server: {
      process,
      accept(link): ServerEnd {
        const open = dispatcher
        if (!open) {
          const message = 'This control plane does not lead the cell at the moment.'
          link.send({
            $case: 'refused',
            value: { code: 'NOT_LEADER', message, leaderAddress: leadership.leader()?.agents ?? '' },
          })
          link.close()
          return { receive() {}, closed() {} }
        }
        const connection = open.open(link, { kind: 'anybody' })
        return {
          receive(message) {
            const word = message.message
            if (plant === 'forward-only' && word?.$case === 'statusReport' && dispatchedCell)
              void takeAtItsWord(dispatchedCell, word.value, clock.now(), (sequence) =>
                link.send({ $case: 'statusAck', value: { sequence } }),
              )
            else void connection.receive(message)
          },
          closed: () => open.closed(connection),
        }
      },
    },
  }
}

/** The store of a process: its answers reach the process only while it lives. */
const answeredStore = (store: Store, process: SimulatedProcess): Store => ({
  commit: (batch) => process.answer(store.commit(batch)),
  load: () => process.answer(store.load()),
  acquireLease: (...given) => process.answer(store.acquireLease(...given)),
  renewLease: (fence, ttlMs) => process.answer(store.renewLease(fence, ttlMs)),
  releaseLease: (fence) => process.answer(store.releaseLease(fence)),
  feed: (afterSequence, signal) => store.feed(afterSequence, signal),
  safety: () => process.answer(store.safety()),
  close: () => store.close(),
})

/** A cell like `cell`, with some of its methods replaced. */
const cellWith = (cell: Cell, replaced: Partial<Cell>): Cell =>
  new Proxy(cell, {
    get(target, name) {
      if (name in replaced) return replaced[name as keyof Cell]
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })

const withOrdersBeforeDurability = (cell: Cell): Cell =>
  cellWith(cell, {
    onDurable: (listener) => cell.onApplied(listener),
    read: async (look) => look(cell.tables, cell.fleet, cell.waiting),
  })

function withHastyAnswers(cell: Cell): Cell {
  return cellWith(cell, {
    transact: async (change) => {
      let result: { readonly value: ReturnType<typeof change> } | undefined
      const durable = cell.transact((tx) => {
        const value = change(tx)
        result = { value }
        return value
      })
      if (!result) return durable
      durable.catch(() => {})
      return result.value
    },
  })
}

/** What status intake would be without the rule of `shared/task-status.ts`. */
async function takeAtItsWord(
  cell: Cell,
  { sequence, tasks }: StatusReport,
  now: number,
  acknowledge: (sequence: number) => void,
): Promise<void> {
  try {
    await cell.transact((tx) => {
      for (const report of tasks) {
        const task = tx.tables.tasks.get(parseArn(report.taskArn)?.path.at(-1) ?? '')
        const lastStatus = taskStatusOfRank(report.status)
        if (task && lastStatus) tx.put('tasks', task.id, { ...applyTaskReport(task, report, now), lastStatus })
      }
    })
    acknowledge(sequence)
  } catch {
    // The agent sends it again.
  }
}
