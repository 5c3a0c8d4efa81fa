import { describe, expect, it } from 'vitest'
import { NO_DEMAND } from './demand.ts'
import { HostFleet } from './host-fleet.ts'
import { chooseTasksToStop } from './scale-in.ts'
import { DEFAULT_SERVICE_STRATEGY } from './strategy.ts'
import { describeHost, RUNNING } from './test-hosts.ts'

function fleetOf(hosts: Record<string, { zone: string; used: number }>): HostFleet {
  const fleet = new HostFleet()
  for (const [id, { zone, used }] of Object.entries(hosts)) {
    fleet.putHost(describeHost({ id, cpu: 1000, memory: 1000, zone }), RUNNING)
    fleet.claim(id, `filler on ${id}`, { ...NO_DEMAND, cpu: used, memory: used }, { group: 'other', dynamicPorts: [] })
  }
  return fleet
}

const on = (hostId: string, taskId: string, createdAt = 0, rank = 1) => ({ taskId, hostId, createdAt, rank })

describe('which tasks a service stops first', () => {
  const fleet = fleetOf({
    a1: { zone: 'a', used: 500 },
    a2: { zone: 'a', used: 900 },
    b1: { zone: 'b', used: 0 },
  })

  it('keeps the zones balanced, and stops on the host with most room', () => {
    const tasks = [on('a1', 't1'), on('a2', 't2'), on('a1', 't3'), on('b1', 't4'), on('b1', 't5')]
    expect(chooseTasksToStop(fleet, tasks, 3, DEFAULT_SERVICE_STRATEGY)).toEqual(['t1', 't4', 't3'])
  })

  it('spreads by host when asked: from the host with most tasks', () => {
    const tasks = [on('a1', 't1'), on('a2', 't2'), on('a2', 't3')]
    expect(chooseTasksToStop(fleet, tasks, 1, [{ type: 'spread', by: { kind: 'host' } }])).toEqual(['t2'])
  })

  it('takes lower ranks first whatever the balance, and the youngest among equals', () => {
    const tasks = [on('a1', 'old', 1), on('a1', 'young', 2), on('b1', 'unhealthy', 0, 0)]
    expect(chooseTasksToStop(fleet, tasks, 2, DEFAULT_SERVICE_STRATEGY)).toEqual(['unhealthy', 'young'])
  })

  it('stops tasks without a host among their rank, and never more than there are', () => {
    expect(chooseTasksToStop(fleet, [{ taskId: 't', rank: 0, createdAt: 0 }], 5, [])).toEqual(['t'])
  })
})
