import type { Cell } from '@berth/control-plane/cell/cell.ts'
import { tableNames } from '@berth/control-plane/cell/records.ts'
import { holdsRoom, type View } from './view.ts'

/** In the end: what the leader has in memory is what the store has, record for record. */
export function memoryEqualsStore(cell: Cell, { records }: View): string | undefined {
  for (const name of tableNames) {
    const table = cell.tables[name]
    if (table.size !== records[name].size)
      return `table ${name} has ${table.size} records in memory and ${records[name].size} in the store`
    for (const [key, record] of table.entries())
      if (JSON.stringify(record) !== JSON.stringify(records[name].get(key)))
        return `record ${key} of ${name} is not in the store as it is in memory`
  }
  return undefined
}

/** In the end: the room that the scheduler believes in is what the tasks in the store leave. */
export function fleetEqualsRecords(cell: Cell, { records }: View): string | undefined {
  for (const host of records.hosts.values()) {
    const room = cell.fleet.hosts.roomOn(host.id)
    if (!room) return `host ${host.id} is not in the fleet`
    let { cpu, memoryMib } = host
    for (const task of records.tasks.values()) {
      if (task.hostId !== host.id || !holdsRoom(task)) continue
      cpu -= task.claim.cpu
      memoryMib -= task.claim.memoryMib
    }
    if (room.cpu !== cpu || room.memory !== memoryMib)
      return `host ${host.id} has room for ${cpu} units and ${memoryMib} MiB; the fleet says ${room.cpu} and ${room.memory}`
  }
  return undefined
}
