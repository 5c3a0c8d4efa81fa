import type { Cell, Transaction } from '../cell/cell.ts'
import { clusterSettingsOf } from '../cell/cluster-settings.ts'
import type { HostRecord } from '../cell/records.ts'
import { endTask, hostLost } from '../cell/task-changes.ts'
import type { ControlPlaneDeps } from '../control-plane-deps.ts'
import type { Controller } from './controller.ts'
import { KeyedLoop } from './keyed-loop.ts'

export interface LostHostsDeps extends ControlPlaneDeps {
  readonly defer: (run: () => void) => void
}

/**
 * The second step of losing a host: not heard of for `hostLostAfterMs`, its tasks are given up, which lets services replace them. (The first step,
 * `agentConnected: false`, is dispatch's.) A host that returns is told what to stop by its next full set.
 */
export function lostHostsController(deps: LostHostsDeps): Controller {
  let stopWatching = () => {}
  let loop: KeyedLoop | undefined
  return {
    name: 'lost hosts',
    start(cell: Cell) {
      loop = new KeyedLoop({
        ...deps,
        name: 'lost-hosts controller',
        work: (hostId) => cell.transact((tx) => giveUpWhenDue(tx, hostId, deps)),
      })
      stopWatching = cell.onApplied((changes) => {
        for (const { table, key, after } of changes) {
          if (table === 'hosts' && after && isSilent(after)) loop?.touch(key)
          if (table === 'clusters')
            for (const host of cell.tables.hosts.by('cluster', key)) if (isSilent(host)) loop?.touch(host.id)
        }
      })
      for (const host of cell.tables.hosts.values()) if (isSilent(host)) loop.touch(host.id)
    },
    stop() {
      stopWatching()
      loop?.stop()
    },
  }
}

const isSilent = (host: HostRecord): boolean => !host.agentConnected && !host.lost && host.status !== 'INACTIVE'

/** Gives the host's tasks up if its time has come; else returns in how many ms it will. */
function giveUpWhenDue(tx: Transaction, hostId: string, deps: ControlPlaneDeps): number | undefined {
  const { hostDisconnectedAfterMs } = deps.settings
  const host = tx.tables.hosts.get(hostId)
  if (!host || !isSilent(host)) return undefined
  const hostLostAfterMs =
    clusterSettingsOf(tx.tables.clusters.get(host.cluster)).hostLostAfterMs ?? deps.settings.hostLostAfterMs
  if (hostLostAfterMs === 0) return undefined
  const now = deps.clock.now()
  const due = (host.disconnectedAt ?? now) + Math.max(0, hostLostAfterMs - hostDisconnectedAfterMs)
  if (now < due) return due - now
  for (const task of tx.tables.tasks.by('host', hostId))
    tx.put('tasks', task.id, endTask(task, hostLost(host.ec2InstanceId), now))
  tx.put('hosts', hostId, { ...host, lost: true, version: host.version + 1 })
  deps.log.warn('host lost: its tasks are given up', { hostId, cluster: host.cluster })
  return undefined
}
