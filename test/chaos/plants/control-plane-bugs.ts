import { setTimeout as wait } from 'node:timers/promises'
import { Cell } from '@berth/control-plane/cell/cell.ts'
import { HostFleetAccounting } from '@berth/control-plane/cell/host-fleet-accounting.ts'
import { commitBatchScript } from '@berth/control-plane/store/redis/commit-batch.ts'
import { luaScript } from '@berth/control-plane/store/redis/lua-script.ts'
import type { Store } from '@berth/control-plane/store/store.ts'

/** What a bug puts in the place of a part; what it changes elsewhere it has changed when it is returned. */
export interface ControlPlaneBug {
  readonly store?: (store: Store) => Store
}

/** Each takes one protection out of the control plane. */
const bugs: Readonly<Record<string, () => ControlPlaneBug>> = {
  /** The store takes batches of whoever sends them, whatever they follow. */
  fence() {
    const withoutFence = commitBatchScript.source
      .replace(/if cell\[1\][\s\S]*?\nend\n/, '')
      .replace(/if sequence <= durable[^\n]*\n/, '')
      .replace(/if sequence ~= durable[^\n]*\n/, '')
    Object.assign(commitBatchScript, luaScript('commit-batch', withoutFence))
    return {}
  },
  /** Callers are answered before Redis has what they are told. */
  'answers before durability': () => ({
    store: (store) => ({
      ...store,
      async commit(batch) {
        const late = wait(1500).then(() => store.commit(batch))
        late.catch(() => {})
        return { kind: 'committed' }
      },
    }),
  }),
  /** Hosts are told of decisions before Redis has them. */
  'orders before durability'() {
    Cell.prototype.onDurable = function (listener) {
      return this.onApplied(listener)
    }
    return { store: (store) => slowly(store, 1200) }
  },
  /** The fleet forgets what tasks claim of their hosts. */
  claims() {
    const { follow } = Object.fromEntries([['follow', Reflect.get(HostFleetAccounting.prototype, 'follow')]])
    HostFleetAccounting.prototype.follow = function (change) {
      if (change.table === 'hosts') follow?.call(this, change)
    }
    return {}
  },
  /** What a client token was used for is not kept, so that the same request is carried out again by the next leader. */
  dedupe: () => ({
    store: (store) => ({
      ...slowly(store, 0),
      async commit(batch) {
        const changes = batch.changes.filter(({ table }) => table !== 'clientTokens')
        const outcome = await store.commit({ ...batch, changes })
        await wait(1000)
        return outcome
      },
    }),
  }),
}

/** @throws Error for a bug that there is not. */
export function controlPlaneBug(name: string | undefined): ControlPlaneBug {
  if (name === undefined) return {}
  const plant = bugs[name]
  if (plant === undefined) throw new Error(`there is no bug "${name}" to plant in a control plane`)
  return plant()
}

const slowly = (store: Store, ms: number): Store => ({
  ...store,
  async commit(batch) {
    await wait(ms)
    return store.commit(batch)
  },
})
