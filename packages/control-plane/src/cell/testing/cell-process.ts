import { silentLog } from '@berth/shared/log.ts'
import { seededRandom } from '@berth/shared/random.ts'
import type { VirtualClock } from '@berth/shared/virtual-clock.ts'
import type { Clock } from '@berth/shared/clock.ts'
import { memoryStore, type MemoryStoreFaults } from '../../store/memory/memory-store.ts'
import type { MemoryWorld } from '../../store/memory/memory-world.ts'
import type { Store } from '../../store/store.ts'
import type { Cell } from '../cell.ts'
import { type CellComponent, Leadership } from '../leadership.ts'

export interface CellProcessOptions {
  readonly name: string
  readonly clock: VirtualClock
  readonly world: MemoryWorld
  readonly ttlMs?: number
  readonly faults?: MemoryStoreFaults
  /** Default: one that only notes when it is started and stopped. */
  readonly components?: readonly CellComponent[]
  /** What the process sees of its store. Default: all of it. */
  readonly through?: (store: Store) => Store
}

/** A control-plane process reduced to its leadership, which can be made to stand still as SIGSTOP does. */
export interface CellProcess {
  readonly leadership: Leadership
  readonly store: Store
  /** What its components went through: `start a`, `stop a`. */
  readonly history: string[]
  freeze(): void
  /** Lets it go on: first all that fell due meanwhile, in its order. */
  thaw(): void
}

/** Where the process of this name says that it is reached. */
export const addressesOf = (name: string) => ({ api: `http://${name}`, agents: name })

/** A component that notes in `history` what is asked of it. */
export const noting = (name: string, history: string[], start: (cell: Cell) => void | Promise<void> = () => {}) => ({
  name,
  async start(cell: Cell) {
    history.push(`start ${name}`)
    await start(cell)
  },
  stop: () => void history.push(`stop ${name}`),
})

export function cellProcess({
  name,
  clock,
  world,
  ttlMs = 5000,
  faults = {},
  components,
  through,
}: CellProcessOptions): CellProcess {
  const gate = freezableGate()
  const ownClock: Clock = { ...clock, after: (delayMs, wake) => clock.after(delayMs, () => gate.pass(wake)) }
  const memory = memoryStore({ clock, world, faults })
  const store = gated(through ? through(memory) : memory, gate)
  const history: string[] = []
  const leadership = new Leadership({
    store,
    holder: name,
    addresses: addressesOf(name),
    ttlMs,
    components: components ?? [noting(name, history)],
    clock: ownClock,
    random: seededRandom(name.charCodeAt(name.length - 1)),
    log: silentLog,
    defer: (run) => void ownClock.after(0, run),
  })
  return { leadership, store, history, freeze: () => gate.freeze(), thaw: () => gate.thaw() }
}

interface Gate {
  pass(run: () => void): void
  freeze(): void
  thaw(): void
}

function freezableGate(): Gate {
  let held: (() => void)[] | undefined
  return {
    pass(run) {
      if (held) held.push(run)
      else run()
    },
    freeze() {
      held ??= []
    },
    thaw() {
      const runs = held ?? []
      held = undefined
      for (const run of runs) run()
    },
  }
}

/** The store as a process sees it that does not run while it is frozen: answers reach it afterwards. */
function gated(store: Store, gate: Gate): Store {
  const through = <T>(answer: Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      answer.then(
        (value) => gate.pass(() => resolve(value)),
        (error: Error) => gate.pass(() => reject(error)),
      )
    })
  return {
    ...store,
    commit: (batch) => through(store.commit(batch)),
    load: () => through(store.load()),
    acquireLease: (...given) => through(store.acquireLease(...given)),
    renewLease: (...given) => through(store.renewLease(...given)),
    releaseLease: (fence) => through(store.releaseLease(fence)),
  }
}
