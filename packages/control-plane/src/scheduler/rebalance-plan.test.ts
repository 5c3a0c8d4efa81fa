import { randomBelow, seededRandom } from '@berth/shared/random.ts'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileConstraints } from './constraint.ts'
import { NO_DEMAND } from './demand.ts'
import { HostFleet } from './host-fleet.ts'
import type { PlacementRequest } from './placement-request.ts'
import { place } from './placement.ts'
import { type Move, type MovableTask, type RebalanceGoal, planRebalance } from './rebalance-plan.ts'
import { RUNNING, describeHost } from './test-hosts.ts'
import { propertyRuns } from './testing/property-runs.ts'

const BY_ZONE: RebalanceGoal = { type: 'spread', by: { kind: 'attribute', name: 'ecs.availability-zone' } }
const BY_HOST: RebalanceGoal = { type: 'spread', by: { kind: 'host' } }
const EMPTY: RebalanceGoal = { type: 'empty-hosts' }

function request(said: Partial<PlacementRequest> & { readonly cpu?: number } = {}): PlacementRequest {
  const { cpu = 256, ...rest } = said
  return {
    demand: { ...NO_DEMAND, cpu, memory: 256 },
    constraints: [],
    strategy: [],
    requiredAttributes: [],
    group: 'service:web',
    count: 1,
    pool: 'main',
    ...rest,
  }
}

/** A fleet with hosts by id and zone, and tasks by host. */
function cluster(hosts: Readonly<Record<string, string>>, tasks: readonly (readonly [host: string, cpu?: number])[]) {
  const fleet = new HostFleet()
  for (const [id, zone] of Object.entries(hosts)) fleet.putHost(describeHost({ id, zone }), RUNNING)
  const movable = tasks.map(([host, cpu = 256], at): MovableTask => {
    const task = { taskId: `t${at}`, request: request({ cpu }) }
    fleet.claim(host, task.taskId, task.request.demand, { group: task.request.group, dynamicPorts: [] })
    return task
  })
  return { fleet, movable }
}

const brief = (moves: readonly Move[]) => moves.map(({ fromHost, toHost, gain }) => [fromHost, toHost, gain])

describe('a plan', () => {
  it('spreads a service over a zone that came back, and stops when that gains nothing more', () => {
    const { fleet, movable } = cluster({ a: 'a', b: 'b' }, [['a'], ['a'], ['a'], ['a']])
    expect(brief(planRebalance(fleet, movable, BY_ZONE, { moves: 10 }))).toEqual([
      ['a', 'b', 4],
      ['a', 'b', 2],
    ])
  })

  it('spreads over hosts of one zone', () => {
    const { fleet, movable } = cluster({ a1: 'a', a2: 'a' }, [['a1'], ['a1'], ['a1']])
    expect(brief(planRebalance(fleet, movable, BY_HOST, { moves: 10 }))).toEqual([['a1', 'a2', 3]])
  })

  it('keeps to its budget', () => {
    const { fleet, movable } = cluster({ a: 'a', b: 'b' }, [['a'], ['a'], ['a'], ['a']])
    expect(planRebalance(fleet, movable, BY_ZONE, { moves: 1 })).toHaveLength(1)
  })

  it('empties the host with the fewest tasks, and does not fill an empty one for it', () => {
    const { fleet, movable } = cluster({ a: 'a', b: 'b', c: 'c' }, [['a'], ['b'], ['b']])
    expect(brief(planRebalance(fleet, movable, EMPTY, { moves: 10 }))).toEqual([['a', 'b', 1]])
  })

  it('empties no host at the cost of the spread that its tasks ask for', () => {
    const { fleet, movable } = cluster({ a: 'a', b: 'b' }, [['a'], ['b']])
    const strategy = [{ type: 'spread', by: { kind: 'attribute', name: 'ecs.availability-zone' } }] as const
    const spread = movable.map((task) => ({ ...task, request: { ...task.request, strategy } }))
    expect(planRebalance(fleet, movable, EMPTY, { moves: 10 })).toHaveLength(1)
    expect(planRebalance(fleet, spread, EMPTY, { moves: 10 })).toEqual([])
  })

  it('leaves a host alone that it cannot empty whole, within what can move, where there is room, or in its budget', () => {
    const { fleet, movable } = cluster({ a: 'a', b: 'b' }, [
      ['a', 512],
      ['a', 512],
      ['b', 512],
    ])
    expect(planRebalance(fleet, movable, EMPTY, { moves: 0 })).toEqual([])
    expect(planRebalance(fleet, movable.slice(0, 1), EMPTY, { moves: 10 })).toEqual([])
    const full = cluster({ a: 'a', b: 'b' }, [
      ['a', 768],
      ['b', 768],
    ])
    expect(planRebalance(full.fleet, full.movable, EMPTY, { moves: 10 })).toEqual([])
  })
})

describe('a plan by the spreads of each task', () => {
  const zone = { type: 'spread', by: { kind: 'attribute', name: 'ecs.availability-zone' } } as const
  const host = { type: 'spread', by: { kind: 'host' } } as const
  const OWN: RebalanceGoal = { type: 'spread', by: 'own' }
  const asking = (tasks: readonly MovableTask[], ...strategy: PlacementRequest['strategy']) =>
    tasks.map((task) => ({ ...task, request: { ...task.request, strategy } }))

  it('serves one after the other, in their order', () => {
    const { fleet, movable } = cluster({ a1: 'a', a2: 'a', b1: 'b' }, [['a1'], ['a1'], ['a1']])
    const planned = (...strategy: PlacementRequest['strategy']) =>
      brief(planRebalance(fleet, asking(movable, ...strategy), OWN, { moves: 10 }))
    expect(planned(zone, host)).toEqual([
      ['a1', 'b1', 3],
      ['a1', 'a2', 2],
    ])
    expect(planned(zone)).toEqual([['a1', 'b1', 3]])
    expect(planned({ type: 'binpack', field: 'cpu' })).toEqual([])
    expect(planned({ type: 'random' }, host)).toEqual([
      ['a1', 'a2', 3],
      ['a1', 'b1', 2],
    ])
  })

  it('makes no move at the cost of a spread that comes before', () => {
    const { fleet, movable } = cluster({ a1: 'a', b1: 'b', b2: 'b' }, [['a1'], ['a1'], ['b2'], ['b2']])
    const planned = (...strategy: PlacementRequest['strategy']) =>
      brief(planRebalance(fleet, asking(movable, ...strategy), BY_HOST, { moves: 10 }))
    expect(planned(host)).toEqual([['a1', 'b1', 2]])
    expect(planned(zone, host)).toEqual([['b2', 'b1', 2]])
    expect(planned(host, zone)).toEqual([['a1', 'b1', 2]])
    const rack = { type: 'spread', by: { kind: 'attribute', name: 'rack' } } as const
    expect(planned(zone, rack)).toEqual([['a1', 'b1', 2]])
  })

  it('keeps a spread over another attribute that comes before', () => {
    const fleet = new HostFleet()
    for (const [id, zone, rack] of [
      ['a1', 'a', 'r1'],
      ['b2', 'b', 'r2'],
      ['b1', 'b', 'r1'],
      ['c2', 'c', 'r2'],
    ] as const)
      fleet.putHost(describeHost({ id, zone, attributes: { rack } }), RUNNING)
    const strategy = [{ type: 'spread', by: { kind: 'attribute', name: 'rack' } } as const, zone]
    const movable = ['a1', 'a1', 'a1', 'c2', 'c2', 'c2'].map((host, at): MovableTask => {
      fleet.claim(host, `t${at}`, request().demand, { group: 'service:web', dynamicPorts: [] })
      return { taskId: `t${at}`, request: request({ strategy }) }
    })
    expect(brief(planRebalance(fleet, movable, BY_ZONE, { moves: 10 }))).toEqual([
      ['a1', 'b1', 3],
      ['c2', 'b2', 2],
    ])
  })

  it('makes the move that gains most before others, of whatever group', () => {
    const fleet = new HostFleet()
    for (const id of ['a', 'b']) fleet.putHost(describeHost({ id, zone: id, cpu: 9999, memory: 9999 }), RUNNING)
    const movable: MovableTask[] = []
    const put = (group: string, onA: number, onB: number) => {
      for (let at = 0; at < onA + onB; at++) {
        const task = { taskId: `${group}${at}`, request: request({ group }) }
        fleet.claim(at < onA ? 'a' : 'b', task.taskId, task.request.demand, { group, dynamicPorts: [] })
        movable.push(task)
      }
    }
    put('large', 5, 3)
    put('middle', 3, 0)
    put('small', 3, 1)
    const moves = planRebalance(fleet, movable, BY_ZONE, { moves: 10 })
    expect(moves.map(({ taskId, gain }) => [taskId, gain])).toEqual([
      ['middle0', 3],
      ['large0', 2],
      ['small0', 2],
    ])
  })

  it('counts each field for itself, and makes the move first that gains most', () => {
    const { fleet, movable } = cluster({ a1: 'a', a2: 'a', b1: 'b' }, [['a1'], ['a1'], ['a1'], ['b1']])
    const [first, second, third, fourth] = movable as [MovableTask, MovableTask, MovableTask, MovableTask]
    const mixed = [...asking([first, second], zone), ...asking([third, fourth], host)]
    expect(brief(planRebalance(fleet, mixed, OWN, { moves: 10 }))).toEqual([
      ['a1', 'a2', 3],
      ['a1', 'b1', 2],
    ])
  })

  it('leaves tasks alone whose group is alone in its place, and those that hold nothing', () => {
    const { fleet, movable } = cluster({ a: 'a', b: 'b' }, [['a']])
    const others = [...movable, { taskId: 'nobody', request: request() }]
    for (const goal of [BY_ZONE, BY_HOST, EMPTY]) expect(planRebalance(fleet, others, goal, { moves: 10 })).toEqual([])
  })

  it('goes where the request may go, with the ports that it needs', () => {
    const { fleet, movable } = cluster({ a: 'a', b: 'b', c: 'c' }, [['a'], ['a']])
    const demand = { ...NO_DEMAND, cpu: 256, memory: 256, dynamicPorts: 1 }
    const picky = movable.map((task) => ({ ...task, request: request({ demand, eligible: (id) => id !== 'b' }) }))
    expect(planRebalance(fleet, picky, BY_ZONE, { moves: 10 })).toEqual([
      { taskId: 't0', fromHost: 'a', toHost: 'c', dynamicPorts: [49_153], gain: 2 },
    ])
  })
})

describe('a plan for empty hosts', () => {
  const told = (moves: readonly Move[]) =>
    moves.map(({ taskId, fromHost, toHost, gain }) => [taskId, fromHost, toHost, gain])

  it('begins with the hosts of fewest tasks, then most room, then by name, and stops at its limits', () => {
    const { fleet, movable } = cluster({ a: 'a', b: 'b', c: 'c', d: 'd' }, [
      ['a', 300],
      ['b', 200],
      ['c', 200],
      ['d', 100],
      ['d', 500],
    ])
    const planned = (limits: { readonly hosts?: number; readonly tried?: number; readonly moves?: number }) =>
      told(planRebalance(fleet, movable, EMPTY, { moves: 10, ...limits }))
    const [b, c] = [
      ['t1', 'b', 'd', 1],
      ['t2', 'c', 'd', 1],
    ]
    expect(planned({})).toEqual([b, c])
    expect(planned({ hosts: 1 })).toEqual([b])
    expect(planned({ hosts: 0 })).toEqual([])
    expect(planned({ tried: 1 })).toEqual([b])
    expect(planned({ moves: 1 })).toEqual([b])
  })

  it('moves the largest task first, of equal ones the first by name, and counts the host with the last of them', () => {
    const { fleet, movable } = cluster({ a: 'a', b: 'b' }, [
      ['b', 100],
      ['b', 100],
      ['b', 100],
      ['b', 100],
      ['a', 100],
      ['a', 300],
      ['a', 100],
    ])
    expect(told(planRebalance(fleet, movable, EMPTY, { moves: 3 }))).toEqual([
      ['t5', 'a', 'b', 0],
      ['t4', 'a', 'b', 0],
      ['t6', 'a', 'b', 1],
    ])
    expect(planRebalance(fleet, movable, EMPTY, { moves: 2 })).toEqual([])
  })

  it('counts no daemons: they keep no host from being empty, and make none worth filling', () => {
    const { fleet, movable } = cluster({ a: 'a', b: 'b', c: 'c' }, [['a'], ['b'], ['b'], ['b']])
    for (const id of ['a', 'b', 'c']) fleet.claim(id, `daemon-${id}`, NO_DEMAND, { group: 'd', dynamicPorts: [] })
    const daemons = new Set(['daemon-a', 'daemon-b', 'daemon-c'])
    expect(planRebalance(fleet, movable, EMPTY, { moves: 10 })).toEqual([])
    expect(told(planRebalance(fleet, movable, { ...EMPTY, daemons }, { moves: 10 }))).toEqual([['t0', 'a', 'b', 1]])
  })

  it('goes by the names of hosts where all else is equal', () => {
    const { fleet, movable } = cluster({ a: 'a', b: 'b', c: 'c' }, [
      ['b', 100],
      ['a', 100],
      ['c', 100],
      ['c', 100],
    ])
    expect(told(planRebalance(fleet, movable, EMPTY, { moves: 1 }))).toEqual([['t1', 'a', 'c', 1]])
    const turned = cluster({ a: 'a', b: 'b', c: 'c' }, [
      ['a', 100],
      ['b', 100],
      ['c', 100],
      ['c', 100],
    ])
    expect(told(planRebalance(turned.fleet, turned.movable, EMPTY, { moves: 1 }))).toEqual([['t0', 'a', 'c', 1]])
  })

  it('may make a spread more even by it', () => {
    const { fleet, movable } = cluster({ a: 'a', b: 'b' }, [['a'], ['b'], ['b']])
    const asked = (strategy: PlacementRequest['strategy']) =>
      movable.slice(0, 1).map((task) => ({ ...task, request: request({ group: 'lone', strategy }) }))
    fleet.release('t0')
    fleet.claim('a', 't0', request().demand, { group: 'lone', dynamicPorts: [] })
    for (const by of [{ kind: 'host' }, { kind: 'attribute', name: 'ecs.availability-zone' }] as const) {
      const moves = planRebalance(fleet, asked([{ type: 'spread', by }]), EMPTY, { moves: 10 })
      expect(told(moves)).toEqual([['t0', 'a', 'b', 1]])
    }
  })

  it('keeps the spread over hosts that tasks ask for', () => {
    const { fleet, movable } = cluster({ a: 'a', b: 'a', c: 'a' }, [['a'], ['b'], ['c'], ['c']])
    const strategy = [{ type: 'spread', by: { kind: 'host' } }] as const
    const spread = movable.map((task) => ({ ...task, request: { ...task.request, strategy } }))
    expect(planRebalance(fleet, spread, EMPTY, { moves: 10 })).toEqual([])
  })
})

/** A random fleet with three groups of tasks, some under constraints. */
function randomCluster(seed: number) {
  const random = seededRandom(seed)
  const fleet = new HostFleet()
  const hosts = 3 + randomBelow(random, 40)
  for (let id = 0; id < hosts; id++) {
    const zone = ['a', 'b', 'c'][randomBelow(random, 3)] as string
    const state = randomBelow(random, 6) === 0 ? { agentConnected: true, status: 'DRAINING' as const } : RUNNING
    fleet.putHost(describeHost({ id: `h${id}`, zone, attributes: { disk: id % 3 === 0 ? 'ssd' : 'hdd' } }), state)
  }
  const constraints = compileConstraints([{ type: 'memberOf', expression: 'attribute:disk == ssd' }])
  const distinct = compileConstraints([{ type: 'distinctInstance' }])
  if (!constraints.ok || !distinct.ok) throw new Error('constraints')
  const kinds = [
    request({ group: 'g0' }),
    request({ group: 'g1', cpu: 512, constraints: constraints.constraints }),
    request({ group: 'g2', cpu: 128, constraints: distinct.constraints }),
  ]
  const movable: MovableTask[] = []
  for (let task = 0; task < hosts * 2; task++) {
    const asked = { ...(kinds[randomBelow(random, 3)] as PlacementRequest), strategy: [{ type: 'random' as const }] }
    const [to] = place(fleet, asked, random).placed
    if (to === undefined) continue
    fleet.claim(to.hostId, `t${task}`, asked.demand, { group: asked.group, dynamicPorts: to.dynamicPorts })
    if (randomBelow(random, 5) > 0) movable.push({ taskId: `t${task}`, request: asked })
  }
  return { fleet, movable, ids: Array.from({ length: hosts }, (_, id) => `h${id}`) }
}

/** How uneven each group is over the places: the sum of squares, which each better move makes smaller. */
function unevenness(fleet: HostFleet, ids: readonly string[], goal: RebalanceGoal): number {
  if (goal.type === 'empty-hosts') return ids.filter((id) => fleet.tasksOn(id).length > 0).length
  const by = goal.by === 'own' ? ({ kind: 'host' } as const) : goal.by
  const counts = new Map<string, number>()
  for (const id of ids) {
    const place = by.kind === 'host' ? id : fleet.hostNamed(id)?.attributes.get(by.name)
    for (const task of fleet.tasksOn(id)) {
      const key = `${fleet.claimOf(task)?.group} ${place}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
  }
  return [...counts.values()].reduce((sum, count) => sum + count * count, 0)
}

/** What the fleet knows of each host: what is left, and who is there. */
const accounts = (fleet: HostFleet, ids: readonly string[]) =>
  ids.map((id) => [
    id,
    fleet.roomOn(id),
    fleet.tasksOn(id).toSorted(),
    ['g0', 'g1', 'g2'].map((group) => groupOn(fleet, group, id)),
  ])

const groupOn = (fleet: HostFleet, group: string, id: string) => fleet.groupCount(group, fleet.slotOf(id) as number)

describe('any plan', () => {
  it.each([BY_ZONE, BY_HOST, EMPTY])(
    'never over-commits with old and new side by side, breaks no constraint, serves its goal, and is the same again: %j',
    (goal) => {
      fc.assert(
        fc.property(fc.integer({ min: 0 }), fc.integer({ min: 0, max: 30 }), (seed, budget) => {
          const { fleet, movable, ids } = randomCluster(seed)
          const limits = { moves: budget }
          const moves = planRebalance(fleet.fork(), movable, goal, limits)
          expect(planRebalance(fleet.fork(), movable.toReversed(), goal, limits)).toEqual(moves)
          const before = accounts(fleet, ids)
          planRebalance(fleet, movable, goal, limits)
          expect(accounts(fleet, ids)).toEqual(before)
          expect(moves.length).toBeLessThanOrEqual(budget)
          expect(new Set(moves.map(({ taskId }) => taskId)).size).toBe(moves.length)
          for (const move of moves) {
            const uneven = unevenness(fleet, ids, goal)
            const task = movable.find(({ taskId }) => taskId === move.taskId) as MovableTask
            const only = { ...task.request, eligible: (id: string) => id === move.toHost }
            expect(place(fleet, only, seededRandom(0)).placed).toHaveLength(1)
            const { demand, group } = task.request
            fleet.claim(move.toHost, 'new', demand, { group, dynamicPorts: move.dynamicPorts })
            expect(fleet.roomOn(move.toHost)?.cpu).toBeGreaterThanOrEqual(0)
            fleet.release(move.taskId)
            fleet.release('new')
            fleet.claim(move.toHost, move.taskId, demand, { group, dynamicPorts: move.dynamicPorts })
            const after = unevenness(fleet, ids, goal)
            expect(uneven - after).toBeGreaterThanOrEqual(goal.type === 'spread' ? 1 : move.gain)
          }
        }),
        propertyRuns(150),
      )
    },
  )
})
