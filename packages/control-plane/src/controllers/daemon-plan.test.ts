import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { TaskRecord } from '../cell/records.ts'
import { type DaemonHost, planDaemon } from './daemon-plan.ts'
import type { ServiceTask } from './service-plan.ts'

let count = 0
const daemon = (deploymentId: string, healthy = true, more: Partial<ServiceTask> = {}): ServiceTask => ({
  task: { id: `task-${count++}`, deploymentId } as TaskRecord,
  healthy,
  replace: false,
  ...more,
})
const host = (hostId: string, tasks: readonly ServiceTask[], more: Partial<DaemonHost> = {}): DaemonHost => ({
  hostId,
  wanted: true,
  tasks,
  hasRoom: true,
  stopping: false,
  ...more,
})
const goal = { primaryDeploymentId: 'new', minimumHealthyPercent: 0, maximumPercent: 100 }
const nothing = { start: [], stop: [], blocked: false }

describe('the plan of a DAEMON service', () => {
  test('starts a task on each wanted host that has none', () => {
    expect(planDaemon(goal, [host('a', []), host('b', [daemon('new')])])).toEqual({ ...nothing, start: ['a'] })
  })

  test('stops what runs on a host that is not wanted, unless that keeps it for now', () => {
    const stray = daemon('new')
    expect(planDaemon(goal, [host('a', [stray], { wanted: false })]).stop).toEqual([stray.task])
    expect(planDaemon(goal, [host('a', [stray], { wanted: false, keeps: true })])).toEqual(nothing)
  })

  test('ends the old task before the new one on the same host begins', () => {
    const old = daemon('old')
    expect(planDaemon(goal, [host('a', [old])])).toEqual({ ...nothing, stop: [old.task] })
    expect(planDaemon(goal, [host('a', [], { stopping: true })])).toEqual(nothing)
    expect(planDaemon(goal, [host('a', [])])).toEqual({ ...nothing, start: ['a'] })
  })

  test('takes down only as many hosts at once as the minimum can spare', () => {
    const hosts = ['a', 'b', 'c', 'd'].map((id) => host(id, [daemon('old')]))
    expect(planDaemon({ ...goal, minimumHealthyPercent: 50 }, hosts).stop).toHaveLength(2)
    expect(planDaemon({ ...goal, minimumHealthyPercent: 51 }, hosts).stop).toHaveLength(1)
    expect(planDaemon(goal, hosts).stop).toHaveLength(4)
  })

  test('runs both for a while where the maximum allows it', () => {
    const aim = { ...goal, minimumHealthyPercent: 100, maximumPercent: 150 }
    const olds = [daemon('old'), daemon('old')]
    const hosts = olds.map((old, index) => host(String(index), [old]))
    expect(planDaemon(aim, hosts)).toEqual({ ...nothing, start: ['0'] })
    const both = host('0', [olds[0] as ServiceTask, daemon('new')])
    expect(planDaemon(aim, [both, hosts[1] as DaemonHost]).stop).toEqual([olds[0]?.task])
  })

  test('ends the old task first on a host that has no room for both', () => {
    const old = daemon('old')
    const aim = { ...goal, maximumPercent: 200 }
    expect(planDaemon(aim, [host('a', [old], { hasRoom: false })]).stop).toEqual([old.task])
  })

  test('lets a protected task be', () => {
    expect(planDaemon(goal, [host('a', [daemon('old', true, { protected: true })])])).toEqual(nothing)
  })

  test('says that it is blocked when the minimum spares none and the maximum allows no more', () => {
    const aim = { ...goal, minimumHealthyPercent: 100 }
    expect(planDaemon(aim, [host('a', [daemon('old')])])).toEqual({ ...nothing, blocked: true })
  })

  test('starts nothing of a deployment that failed', () => {
    expect(planDaemon({ ...goal, halted: true }, [host('a', []), host('b', [daemon('old')])])).toEqual(nothing)
  })

  const arbitraryHosts = fc.array(
    fc.record({
      wanted: fc.boolean(),
      tasks: fc.array(fc.record({ old: fc.boolean(), healthy: fc.boolean() }), { maxLength: 2 }),
    }),
    { maxLength: 12 },
  )
  const arbitraryGoal = fc
    .record({ minimumHealthyPercent: fc.nat(99), maximumPercent: fc.integer({ min: 100, max: 200 }) })
    .map((drawn) => ({ ...goal, ...drawn }))

  test('never goes under the minimum by what it stops on wanted hosts, and always ends with one new task on each', () => {
    fc.assert(
      fc.property(arbitraryGoal, arbitraryHosts, (aim, drawn) => {
        let hosts = drawn.map(({ wanted, tasks }, index) =>
          host(
            String(index),
            tasks.map(({ old, healthy }) => daemon(old ? 'old' : 'new', healthy)),
            { wanted },
          ),
        )
        const wanted = hosts.filter((each) => each.wanted)
        const upper = Math.floor((wanted.length * aim.maximumPercent) / 100)
        const lower = Math.ceil((wanted.length * aim.minimumHealthyPercent) / 100)
        fc.pre(wanted.length === 0 || lower < wanted.length || upper > wanted.length)
        const served = () => hosts.filter((each) => each.wanted && each.tasks.some(({ healthy }) => healthy)).length
        for (let step = 0; step < 60; step++) {
          const before = served()
          const plan = planDaemon(aim, hosts)
          const stopped = new Set(plan.stop)
          hosts = hosts.map((each) => ({ ...each, tasks: each.tasks.filter(({ task }) => !stopped.has(task)) }))
          expect(served()).toBeGreaterThanOrEqual(Math.min(before, lower))
          if (aim.maximumPercent === 100)
            for (const each of hosts) if (plan.start.includes(each.hostId)) expect(each.tasks).toEqual([])
          hosts = hosts.map((each) => ({
            ...each,
            tasks: [
              ...each.tasks.map((task) => ({ ...task, healthy: true })),
              ...(plan.start.includes(each.hostId) ? [daemon('new', false)] : []),
            ],
          }))
        }
        for (const each of hosts)
          expect(each.tasks.map(({ task }) => task.deploymentId)).toEqual(each.wanted ? ['new'] : [])
      }),
    )
  })
})
