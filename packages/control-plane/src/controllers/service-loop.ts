import type { Cell } from '../cell/cell.ts'
import { serviceKey } from '../cell/records.ts'
import type { Change, ReadonlyTables } from '../cell/tables.ts'
import type { ControlPlaneDeps } from '../control-plane-deps.ts'
import type { Controller } from './controller.ts'
import { KeyedLoop } from './keyed-loop.ts'
import type { ServiceWork } from './service-step.ts'

export interface ServiceControllerDeps extends ControlPlaneDeps {
  readonly defer: (run: () => void) => void
}

/**
 * Brings the services that `work` owns to where they are to be, a step at each thing that happens to one: a task's status, a
 * changed service, room that came free for one that waits for it.
 */
export function serviceLoop(deps: ServiceControllerDeps, name: string, work: ServiceWork): Controller {
  /** Services that wait for room. Only a hint for who to wake: the fact is the missing task. */
  const waiting = new Set<string>()
  let stopWatching = () => {}
  let loop: KeyedLoop | undefined

  return {
    name,
    start(cell: Cell) {
      loop = new KeyedLoop({
        ...deps,
        name: `${name} controller`,
        work: async (key) => {
          const outcome = await cell.transact((tx) => work.step(tx, key, deps))
          if (outcome.waitsForRoom) waiting.add(key)
          else waiting.delete(key)
          return outcome.lookAgainInMs
        },
      })
      const touch = (key: string) => {
        const service = cell.tables.services.get(key)
        if (service !== undefined && work.owns(service)) loop?.touch(key)
      }
      stopWatching = cell.onApplied((changes) => {
        for (const change of changes) {
          for (const key of servicesConcerned(change, cell.tables)) touch(key)
          for (const key of work.alsoConcerned(change, cell.tables)) touch(key)
          if (waiting.size > 0 && mayGiveRoom(change)) for (const key of waiting) touch(key)
        }
      })
      for (const [key, service] of cell.tables.services.entries()) if (service.status !== 'INACTIVE') touch(key)
    },
    stop() {
      stopWatching()
      loop?.stop()
      waiting.clear()
    },
  }
}

/** The services that a change is about: the service itself, that of a task, those with tasks on a host that drains or comes back. */
function* servicesConcerned(change: Change, tables: ReadonlyTables): Iterable<string> {
  if (change.table === 'services') {
    if (change.after && change.after.status !== 'INACTIVE') yield change.key
  } else if (change.table === 'serviceDeployments' || change.table === 'taskSets') {
    if (change.after) yield change.after.service
  } else if (change.table === 'tasks') {
    const task = change.after ?? change.before
    if (task?.serviceName !== undefined) yield serviceKey(task.cluster, task.serviceName)
  } else if (change.table === 'hosts' && change.before && change.before.status !== change.after?.status) {
    for (const task of tables.tasks.by('host', change.key))
      if (task.serviceName !== undefined) yield serviceKey(task.cluster, task.serviceName)
  }
}

function mayGiveRoom(change: Change): boolean {
  if (change.table === 'hosts') return change.after !== undefined
  return change.table === 'tasks' && change.after?.lastStatus === 'STOPPED' && change.before?.lastStatus !== 'STOPPED'
}
