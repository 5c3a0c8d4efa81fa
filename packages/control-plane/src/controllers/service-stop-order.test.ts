import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { taskRecord } from '../api/ecs/testing/records.ts'
import type { HostFleetAccounting } from '../cell/host-fleet-accounting.ts'
import { createTables } from '../cell/tables.ts'
import type { ServiceTask } from './service-plan.ts'
import { stopOrder } from './service-stop-order.ts'

/** Room by host, in MiB. */
const rooms: Readonly<Record<string, number>> = { a: 100, b: 200, c: 300 }
const fleet = { hosts: { roomOn: (id: string) => ({ memory: rooms[id] ?? 0 }) } } as unknown as HostFleetAccounting
const order = stopOrder(createTables(), fleet)

const serviceTask = (
  id: string,
  hostId: string,
  availabilityZone: string,
  createdAt = 0,
  healthy = true,
): ServiceTask => ({
  task: taskRecord(id, { hostId, availabilityZone, createdAt }),
  healthy,
  replace: false,
})
const ids = (tasks: readonly ServiceTask[]) => tasks.map(({ task }) => task.id)

describe('the order in which tasks of a service stop', () => {
  test.each<[string, ServiceTask[], string]>([
    ['one that does not run yet first', [serviceTask('1', 'a', 'z'), serviceTask('2', 'a', 'z', 0, false)], '2'],
    [
      'from the fullest zone',
      [serviceTask('1', 'c', 'y'), serviceTask('2', 'a', 'z'), serviceTask('3', 'b', 'z')],
      '3',
    ],
    [
      'from the host that has the most',
      [serviceTask('1', 'c', 'z'), serviceTask('2', 'a', 'z'), serviceTask('3', 'a', 'z')],
      '2',
    ],
    ['from the host with the most room', [serviceTask('1', 'a', 'z'), serviceTask('2', 'b', 'z')], '2'],
    [
      'the youngest of equals',
      [serviceTask('1', 'a', 'z', 1), serviceTask('2', 'a', 'z', 2), serviceTask('3', 'b', 'y')],
      '2',
    ],
  ])('%s', (_, tasks, first) => {
    expect(ids(order(tasks, 1))).toEqual([first])
  })

  test('leaves zones as even as they can be', () => {
    const task = fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(5))
    fc.assert(
      fc.property(fc.array(task, { minLength: 1, maxLength: 30 }), fc.nat(30), (drawn, count) => {
        const tasks = drawn.map(([zone, createdAt], index) =>
          serviceTask(String(index), zone, `zone-${zone}`, createdAt),
        )
        const gone = new Set(order(tasks, count))
        expect(gone.size).toBe(Math.min(count, tasks.length))
        const left = (zone: string, of = tasks.filter((each) => !gone.has(each))) =>
          of.filter(({ task }) => task.availabilityZone === `zone-${zone}`).length
        // A zone from which something went had the most: it is at most one below any other.
        for (const zone of ['a', 'b', 'c'])
          if (left(zone) < left(zone, tasks))
            for (const other of ['a', 'b', 'c']) expect(left(other)).toBeLessThanOrEqual(left(zone) + 1)
      }),
    )
  })

  test('chooses among thousands of tasks on as many hosts', () => {
    const tasks = Array.from({ length: 5000 }, (_, index) =>
      serviceTask(String(index), `host-${index % 1000}`, `zone-${index % 3}`, index),
    )
    const chosen = order(tasks, 2000)
    expect(new Set(ids(chosen)).size).toBe(2000)
  })
})
