import { describe, expect, it } from 'vitest'
import { type Demand, NO_DEMAND } from './demand.ts'
import { HostFleet } from './host-fleet.ts'
import { RUNNING, describeHost } from './test-hosts.ts'

const TASK: Demand = {
  cpu: 10,
  memory: 20,
  gpus: 2,
  enis: 2,
  ports: [{ port: 80, protocol: 'tcp' }],
  dynamicPorts: 1,
  custom: new Map([['fpga', 3]]),
}
const HOST = { cpu: 100, memory: 200, gpus: 4, enis: 5, custom: new Map([['fpga', 7]]) }
const ROOM = { ...HOST, runningTasks: 0 }
const inGroup = (group: string, ...dynamicPorts: readonly number[]) => ({ group, dynamicPorts })

function fleetOf(...ids: readonly string[]): HostFleet {
  const fleet = new HostFleet()
  for (const id of ids) fleet.putHost(describeHost({ id, ...HOST }), RUNNING)
  return fleet
}

const slotOf = (fleet: HostFleet, id: string) => fleet.slotOf(id) as number
const membersOf = (fleet: HostFleet, pool: string) => {
  const { members, size } = fleet.pool(pool).slots
  return Array.from(members.slice(0, size), (slot) => fleet.hostAt(slot).id).toSorted()
}
const holderOf = (fleet: HostFleet, id: string, port: number, protocol: 'tcp' | 'udp' = 'tcp') =>
  fleet.ports[slotOf(fleet, id)]?.holderAgainst({ port, protocol })

describe('the fleet', () => {
  it('knows its hosts and tasks by name, and nothing of others', () => {
    const fleet = fleetOf('a', 'b')
    fleet.claim('a', 't', TASK, inGroup('g', 50_000))
    expect([fleet.size, fleet.taskCount]).toEqual([2, 1])
    expect(fleet.hostNamed('a')?.id).toBe('a')
    expect(fleet.claimOf('t')).toEqual({ hostId: 'a', demand: TASK, group: 'g', dynamicPorts: [50_000] })
    expect(fleet.tasksOn('a')).toEqual(['t'])
    expect([...fleet.groupsOn(slotOf(fleet, 'a'))]).toEqual(['g'])
    fleet.setHostState('nobody', RUNNING)
    fleet.removeHost('nobody')
    expect(fleet.size).toBe(2)
    const unknown = [fleet.hostNamed('x'), fleet.slotOf('x'), fleet.roomOn('x'), fleet.claimOf('x'), fleet.release('x')]
    expect(unknown).toEqual(Array(5).fill(undefined))
    expect([fleet.tasksOn('x'), membersOf(fleet, 'x'), fleet.group('x')]).toEqual([[], [], undefined])
    expect(fleet.groupCount('x', slotOf(fleet, 'a'))).toBe(0)
  })

  it('gives a task what it demands, once, and takes all of it back', () => {
    const fleet = fleetOf('a', 'b')
    fleet.claim('a', 't', TASK, inGroup('g', 50_000))
    expect(fleet.roomOn('a')).toEqual({
      cpu: 90,
      memory: 180,
      gpus: 2,
      enis: 3,
      custom: new Map([['fpga', 4]]),
      runningTasks: 1,
    })
    for (const [port, protocol] of [
      [80, 'tcp'],
      [50_000, 'tcp'],
      [50_000, 'udp'],
    ] as const)
      expect(holderOf(fleet, 'a', port, protocol)?.taskId).toBe('t')
    expect(fleet.roomOn('b')).toEqual(ROOM)
    expect(() => fleet.claim('b', 't', TASK, inGroup('g'))).toThrow('task t already holds resources')
    expect(() => fleet.claim('x', 't2', TASK, inGroup('g'))).toThrow('host x is not in the fleet')
    expect(fleet.release('t')).toEqual({ hostId: 'a', demand: TASK, group: 'g', dynamicPorts: [50_000] })
    expect([fleet.roomOn('a'), fleet.taskCount]).toEqual([ROOM, 0])
    for (const port of [80, 50_000])
      for (const protocol of ['tcp', 'udp'] as const) expect(holderOf(fleet, 'a', port, protocol)).toBeUndefined()
  })

  it('takes a new description of a host, whose tasks keep what they hold even if that is too much now', () => {
    const fleet = new HostFleet()
    const ssh = { port: 22, protocol: 'tcp' } as const
    fleet.putHost(describeHost({ id: 'a', ...HOST, reservedPorts: [ssh], pools: ['p', 'q'] }), RUNNING)
    fleet.claim('a', 't', { ...TASK, cpu: 90 }, inGroup('g', 50_000))
    const smaller = { cpu: 50, memory: 60, gpus: 0, enis: 9, custom: new Map([['tape', 2]]) }
    fleet.putHost(describeHost({ id: 'a', ...smaller, pools: ['q', 'r'] }), RUNNING)
    expect(fleet.roomOn('a')).toEqual({
      cpu: -40,
      memory: 40,
      gpus: -2,
      enis: 7,
      custom: new Map([
        ['fpga', -3],
        ['tape', 2],
      ]),
      runningTasks: 1,
    })
    const slot = slotOf(fleet, 'a')
    expect([fleet.cpuTotal[slot], fleet.memoryTotal[slot], fleet.gpusTotal[slot]]).toEqual([50, 60, 0])
    expect(['p', 'q', 'r'].map((pool) => membersOf(fleet, pool))).toEqual([[], ['a'], ['a']])
    expect([holderOf(fleet, 'a', 22), holderOf(fleet, 'a', 80)?.taskId]).toEqual([undefined, 't'])
  })

  it('forgets a host with its tasks, and gives its place to another as if none had been there', () => {
    const fleet = fleetOf('a', 'b')
    const slot = slotOf(fleet, 'a')
    fleet.claim('a', 't', TASK, inGroup('g', 50_000))
    fleet.reserve('kept', 'a', TASK)
    fleet.removeHost('a')
    expect([fleet.size, fleet.taskCount, fleet.claimOf('t')]).toEqual([1, 0, undefined])
    expect(membersOf(fleet, 'main')).toEqual(['b'])
    fleet.putHost(describeHost({ id: 'c', ...HOST, custom: new Map([['tape', 1]]) }), RUNNING)
    expect(fleet.slotOf('c')).toBe(slot)
    expect(fleet.roomOn('c')).toEqual({ ...ROOM, custom: new Map([['tape', 1]]) })
    expect([holderOf(fleet, 'c', 80), holderOf(fleet, 'c', 50_000)]).toEqual([undefined, undefined])
    expect(fleet.groupCount('g', slot)).toBe(0)
  })

  it.each([
    [{ agentConnected: true, status: 'ACTIVE' }, 1],
    [{ agentConnected: false, status: 'ACTIVE' }, 0],
    [{ agentConnected: true, status: 'DRAINING' }, 0],
  ] as const)('lets new tasks on a host that is %j: %i', (state, placeable) => {
    const fleet = fleetOf('a')
    fleet.setHostState('a', state)
    expect(fleet.placeable[slotOf(fleet, 'a')]).toBe(placeable)
    const fork = fleet.fork()
    expect(fork.placeable[slotOf(fork, 'a')]).toBe(placeable)
  })

  it('tells the indexes of a pool of each change to its hosts', () => {
    const fleet = fleetOf('a')
    const slot = slotOf(fleet, 'a')
    let told: number[] = []
    fleet.pool('main').told.push({ touch: (touched) => told.push(touched) })
    const isTold = (change: () => void) => {
      told = []
      change()
      return told.length > 0 && told.every((each) => each === slot)
    }
    expect(isTold(() => fleet.claim('a', 't', TASK, inGroup('g')))).toBe(true)
    expect(isTold(() => fleet.reserve('r', 'a', TASK))).toBe(true)
    expect(isTold(() => fleet.unreserve('r'))).toBe(true)
    expect(isTold(() => fleet.release('t'))).toBe(true)
    expect(isTold(() => fleet.setHostState('a', RUNNING))).toBe(true)
    expect(isTold(() => fleet.putHost(describeHost({ id: 'a', pools: ['other'] }), RUNNING))).toBe(true)
    expect(isTold(() => fleet.claim('a', 't', TASK, inGroup('g')))).toBe(false)
    fleet.putHost(describeHost({ id: 'a' }), RUNNING)
    expect(isTold(() => fleet.removeHost('a'))).toBe(true)
  })

  it('has a host in each of its pools, and tells their indexes when one comes', () => {
    const fleet = new HostFleet()
    fleet.putHost(describeHost({ id: 'a', pools: ['p', 'q'] }), RUNNING)
    const told: number[] = []
    fleet.pool('q').told.push({ touch: (slot) => told.push(slot) })
    fleet.putHost(describeHost({ id: 'b', pools: ['q', 'r'] }), RUNNING)
    expect(told).toEqual([fleet.slotOf('b')])
    expect(['p', 'q', 'r', 's'].map((pool) => membersOf(fleet, pool))).toEqual([['a'], ['a', 'b'], ['b'], []])
  })

  it('has classes only for the hosts that are there', () => {
    const fleet = fleetOf('a', 'b')
    const classOf = (id: string) => fleet.classOf[slotOf(fleet, id)]
    const common = classOf('a')
    expect(classOf('b')).toBe(common)
    fleet.removeHost('a')
    fleet.putHost(describeHost({ id: 'b', zone: 'b' }), RUNNING)
    const own = classOf('b')
    fleet.putHost(describeHost({ id: 'c', zone: 'c' }), RUNNING)
    expect(new Set([own, classOf('c')])).toEqual(new Set([0, 1]))
  })

  it('finds dynamic ports where the host has them, but not among others that are asked for', () => {
    const fleet = fleetOf('a')
    const narrow = { first: 60_000, last: 60_002 }
    fleet.putHost(describeHost({ id: 'narrow', dynamicPortRange: narrow }), RUNNING)
    expect(fleet.freeDynamicPorts(slotOf(fleet, 'a'), 2)).toEqual([49_153, 49_154])
    expect(fleet.freeDynamicPorts(slotOf(fleet, 'a'), 0)).toEqual([])
    expect(fleet.freeDynamicPorts(slotOf(fleet, 'narrow'), 9, new Set([60_001]))).toEqual([60_000, 60_002])
    fleet.claim('narrow', 't', { ...NO_DEMAND, dynamicPorts: 1 }, inGroup('g', 60_000))
    fleet.release('t')
    expect(fleet.freeDynamicPorts(slotOf(fleet, 'narrow'), 9)).toEqual([60_001, 60_002, 60_000])
    fleet.claim('a', 't', { ...NO_DEMAND, dynamicPorts: 1 }, inGroup('g', 49_153))
    fleet.release('t')
    expect(fleet.freeDynamicPorts(slotOf(fleet, 'a'), 1)).toEqual([49_154])
  })

  it('counts the tasks of a group by what hosts have for an attribute, also after that changed', () => {
    const fleet = fleetOf('a')
    fleet.putHost(describeHost({ id: 'b', zone: 'b' }), RUNNING)
    for (const [host, task] of ['a', 'b', 'b'].entries()) fleet.claim(task, `t${host}`, NO_DEMAND, inGroup('g'))
    const zones = fleet.attributeValues('ecs.availability-zone')
    const counts = () => {
      const byValue = fleet.group('g')?.countsByValue(zones) ?? []
      return new Map(zones.texts.map((text, id) => [text, byValue[id] ?? 0]))
    }
    expect(counts()).toEqual(
      new Map([
        [undefined, 0],
        ['a', 1],
        ['b', 2],
      ]),
    )
    fleet.putHost(describeHost({ id: 'b', zone: 'c' }), RUNNING)
    expect(counts()).toEqual(
      new Map([
        [undefined, 0],
        ['a', 1],
        ['b', 0],
        ['c', 2],
      ]),
    )
    fleet.putHost(describeHost({ id: 'late', zone: 'c' }), RUNNING)
    fleet.claim('late', 'late', NO_DEMAND, inGroup('g'))
    expect(counts().get('c')).toBe(3)
    expect(fleet.attributeValues('ecs.availability-zone')).toBe(zones)
  })

  it('keeps groups that have tasks, and forgets empty ones when there are many', () => {
    const fleet = fleetOf('a')
    fleet.claim('a', 'stays', NO_DEMAND, inGroup('lasting'))
    for (let group = 0; group < 3000; group++) {
      fleet.claim('a', 'short', NO_DEMAND, inGroup(`short${group}`))
      fleet.release('short')
      if (group === 900) expect(fleet.group('short0')?.total).toBe(0)
    }
    expect(fleet.group('short0')).toBeUndefined()
    expect(fleet.group('short2999')?.total).toBe(0)
    expect(fleet.groupCount('lasting', slotOf(fleet, 'a'))).toBe(1)
  })

  it('grows to any number of hosts', () => {
    const fleet = fleetOf(...Array.from({ length: 100 }, (_, at) => `h${at}`))
    for (let at = 0; at < 100; at++) {
      fleet.claim(`h${at}`, `t${at}`, { ...TASK, cpu: at }, inGroup('g'))
      expect(fleet.roomOn(`h${at}`)?.cpu).toBe(100 - at)
    }
    expect([fleet.cpuTotal[99], fleet.memoryTotal[99], fleet.gpusTotal[99], fleet.placeable[99]]).toEqual([
      100, 200, 4, 1,
    ])
  })
})

describe('a fork', () => {
  it('has the same hosts, tasks and reservations, or the tasks that are wanted, and shares none of them', () => {
    const fleet = fleetOf('a', 'b')
    fleet.claim('a', 't1', TASK, inGroup('g', 50_000))
    fleet.claim('b', 't2', TASK, inGroup('g', 50_001))
    fleet.reserve('kept', 'b', { ...NO_DEMAND, cpu: 5 })
    const forks = [fleet.fork(), fleet.fork((id) => id === 't2')] as const
    expect(forks.map((fork) => [fork.size, fork.claimOf('t1'), fork.claimOf('t2')])).toEqual([
      [2, fleet.claimOf('t1'), fleet.claimOf('t2')],
      [2, undefined, fleet.claimOf('t2')],
    ])
    for (const fork of forks) expect(fork.cpuFree[slotOf(fork, 'b')]).toBe(85)
    expect(forks[1].roomOn('a')).toEqual(ROOM)
    forks[0].release('t1')
    forks[0].unreserve('kept')
    expect(fleet.claimOf('t1')?.hostId).toBe('a')
    expect(fleet.cpuFree[slotOf(fleet, 'b')]).toBe(85)
  })
})

describe('room that is reserved', () => {
  const reserved: Demand = { ...TASK, ports: [], dynamicPorts: 0 }

  it('is not there for placement, and is for those who look', () => {
    const fleet = fleetOf('a', 'b')
    const slot = slotOf(fleet, 'a')
    fleet.claim('a', 't', TASK, inGroup('g', 50_000))
    const before = fleet.roomOn('a')
    fleet.reserve('r', 'a', reserved)
    fleet.reserve('r', 'b', reserved)
    fleet.reserve('elsewhere', 'x', reserved)
    expect([fleet.cpuFree[slot], fleet.memoryFree[slot], fleet.gpusFree[slot], fleet.enisFree[slot]]).toEqual([
      80, 160, 0, 1,
    ])
    expect(fleet.customFree[slot]?.get('fpga')).toBe(1)
    expect(fleet.roomOn('a')).toEqual(before)
    expect(fleet.tasksOn('a')).toEqual(['t'])
    expect(fleet.runningTasks[slot]).toBe(1)
    expect(fleet.cpuFree[slotOf(fleet, 'b')]).toBe(100)
    const seen = fleet.withoutReservations('a', () => [fleet.cpuFree[slot], fleet.tasksOn('a')])
    expect(seen).toEqual([90, ['t']])
    expect(fleet.cpuFree[slot]).toBe(80)
    expect(() =>
      fleet.withoutReservations('a', () => {
        throw new Error('looked')
      }),
    ).toThrow('looked')
    expect(fleet.cpuFree[slot]).toBe(80)
    expect(fleet.withoutReservations('x', () => 'nothing')).toBe('nothing')
    fleet.unreserve('elsewhere')
    fleet.unreserve('r')
    expect([fleet.cpuFree[slot], fleet.runningTasks[slot]]).toEqual([90, 1])
  })
})
