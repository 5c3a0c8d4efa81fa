import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { TaskRecord } from '../cell/records.ts'
import { planService, type ServiceGoal, type ServiceTask, type StopOrder } from './service-plan.ts'

const anyOrder: StopOrder = (candidates) => candidates
const goal = (over: Partial<ServiceGoal> = {}): ServiceGoal => ({
  desiredCount: 2,
  primaryDeploymentId: 'new',
  minimumHealthyPercent: 100,
  maximumPercent: 200,
  ...over,
})

let count = 0
const serviceTask = (deploymentId: string, healthy: boolean, replace = false): ServiceTask => ({
  task: { id: `task-${count++}`, deploymentId } as TaskRecord,
  healthy,
  replace,
})

describe('the plan of a service', () => {
  test('starts what is missing', () => {
    expect(planService(goal({ desiredCount: 3 }), [], anyOrder)).toEqual({ start: 3, stop: [], blocked: false })
  })

  test('stops the surplus when the desired count went down', () => {
    const tasks = [serviceTask('new', true), serviceTask('new', true), serviceTask('new', true)]
    const plan = planService(goal({ desiredCount: 1 }), tasks, anyOrder)
    expect(plan.start).toBe(0)
    expect(plan.stop).toHaveLength(2)
  })

  test('starts the new revision beside the old one where the maximum allows, and stops nothing yet', () => {
    const old = [serviceTask('old', true), serviceTask('old', true)]
    expect(planService(goal(), old, anyOrder)).toEqual({ start: 2, stop: [], blocked: false })
  })

  test('lets an old task go for each new one that is healthy', () => {
    const tasks = [
      serviceTask('old', true),
      serviceTask('old', true),
      serviceTask('new', true),
      serviceTask('new', false),
    ]
    expect(planService(goal(), tasks, anyOrder).stop).toHaveLength(1)
  })

  test('makes room first where the maximum leaves none', () => {
    const old = [serviceTask('old', true), serviceTask('old', true)]
    const plan = planService(goal({ minimumHealthyPercent: 50, maximumPercent: 100 }), old, anyOrder)
    expect(plan.stop).toHaveLength(1)
    expect(plan.start).toBe(1)
  })

  test('says that it is blocked when neither percentage leaves a way on', () => {
    const old = [serviceTask('old', true), serviceTask('old', true)]
    expect(planService(goal({ maximumPercent: 100 }), old, anyOrder)).toEqual({ start: 0, stop: [], blocked: true })
  })

  test('replaces a task on a draining host before it stops it', () => {
    const tasks = [serviceTask('new', true, true), serviceTask('new', true)]
    expect(planService(goal(), tasks, anyOrder)).toEqual({ start: 1, stop: [], blocked: false })
  })

  test('stops everything at zero', () => {
    const tasks = [serviceTask('new', true), serviceTask('old', false)]
    expect(planService(goal({ desiredCount: 0 }), tasks, anyOrder).stop).toHaveLength(2)
  })

  const ailing = (deploymentId = 'new'): ServiceTask => ({
    ...serviceTask(deploymentId, false, true),
    unhealthy: true,
  })
  const shielded = (deploymentId: string): ServiceTask => ({ ...serviceTask(deploymentId, true), protected: true })

  test('starts the replacement of a task whose health check fails first, and stops it when that is healthy', () => {
    const sick = ailing()
    const well = serviceTask('new', true)
    expect(planService(goal(), [sick, well], anyOrder)).toEqual({ start: 1, stop: [], blocked: false })
    const replacement = serviceTask('new', false)
    expect(planService(goal(), [sick, well, replacement], anyOrder)).toEqual({ start: 0, stop: [], blocked: false })
    const tasks = [sick, well, { ...replacement, healthy: true }]
    expect(planService(goal(), tasks, anyOrder)).toEqual({ start: 0, stop: [sick.task], blocked: false })
  })

  test('replaces tasks whose health checks fail one by one where the maximum has no room', () => {
    const tasks = [ailing(), ailing(), serviceTask('new', true)]
    const aim = goal({ desiredCount: 3, minimumHealthyPercent: 0, maximumPercent: 100 })
    const plan = planService(aim, tasks, anyOrder)
    expect(plan).toMatchObject({ start: 1, stop: [tasks[0]?.task] })
    const next = [...tasks.slice(1), serviceTask('new', false)]
    expect(planService(aim, next, anyOrder)).toEqual({ start: 0, stop: [], blocked: false })
  })

  test('lets protected tasks be, in scale-in and in deployments, whose new tasks start as far as there is room', () => {
    const kept = shielded('new')
    const other = serviceTask('new', true)
    expect(planService(goal({ desiredCount: 1 }), [kept, other], anyOrder).stop).toEqual([other.task])
    expect(planService(goal({ desiredCount: 0 }), [kept], anyOrder)).toEqual({ start: 0, stop: [], blocked: false })
    const old = [shielded('old'), serviceTask('old', true), serviceTask('new', true), serviceTask('new', true)]
    expect(planService(goal(), old, anyOrder).stop).toEqual([old[1]?.task])
  })

  test('of a deployment that failed starts nothing, and stops only what the desired count can spare', () => {
    const halted = goal({ desiredCount: 2, halted: true, minimumHealthyPercent: 0 })
    expect(planService(halted, [serviceTask('old', true)], anyOrder)).toEqual({ start: 0, stop: [], blocked: false })
    const tasks = [serviceTask('old', true), serviceTask('old', true), serviceTask('new', true)]
    expect(planService(halted, tasks, anyOrder).stop).toHaveLength(1)
    expect(planService({ ...halted, desiredCount: 0 }, tasks, anyOrder).stop).toHaveLength(3)
  })

  const arbitraryTasks = fc.array(fc.record({ primary: fc.boolean(), healthy: fc.boolean(), replace: fc.boolean() }), {
    maxLength: 30,
  })

  test('never goes over the maximum by starting, nor under the minimum by stopping healthy tasks', () => {
    fc.assert(
      fc.property(
        fc.nat(20),
        fc.nat(100),
        fc.integer({ min: 100, max: 200 }),
        arbitraryTasks,
        (desired, min, max, drawn) => {
          const tasks = drawn.map((each) => serviceTask(each.primary ? 'new' : 'old', each.healthy, each.replace))
          const plan = planService(
            goal({ desiredCount: desired, minimumHealthyPercent: min, maximumPercent: max }),
            tasks,
            anyOrder,
          )
          const stopped = new Set(plan.stop.map(({ id }) => id))
          const upper = Math.floor((desired * max) / 100)
          const lower = Math.ceil((desired * min) / 100)
          const left = tasks.filter(({ task }) => !stopped.has(task.id))
          if (plan.start > 0) expect(left.length + plan.start).toBeLessThanOrEqual(upper)
          const healthyBefore = tasks.filter(({ healthy }) => healthy).length
          const healthyAfter = left.filter(({ healthy }) => healthy).length
          // Surplus over the desired count goes in any case; all else leaves the minimum alone.
          const surplus = Math.max(
            0,
            tasks.filter((each) => each.task.deploymentId === 'new' && !each.replace).length - desired,
          )
          expect(healthyAfter).toBeGreaterThanOrEqual(Math.min(healthyBefore, lower) - surplus)
          expect(stopped.size).toBe(plan.stop.length)
        },
      ),
    )
  })

  test('always ends: with tasks that become healthy, every service comes to its desired count of the new revision', () => {
    fc.assert(
      fc.property(
        fc.nat(12),
        fc.integer({ min: 0, max: 99 }),
        fc.integer({ min: 100, max: 200 }),
        arbitraryTasks,
        (desired, min, max, drawn) => {
          const aim = goal({ desiredCount: desired, minimumHealthyPercent: min, maximumPercent: max })
          // At 100 percent at most, something must be allowed to go first.
          fc.pre(
            Math.floor((desired * max) / 100) > desired || Math.ceil((desired * min) / 100) < desired || desired === 0,
          )
          let tasks = drawn.map((each) => serviceTask(each.primary ? 'new' : 'old', each.healthy, each.replace))
          for (let step = 0; step < 200; step++) {
            const plan = planService(aim, tasks, anyOrder)
            if (plan.start === 0 && plan.stop.length === 0 && tasks.every(({ healthy }) => healthy)) break
            const stopped = new Set(plan.stop.map(({ id }) => id))
            tasks = tasks.filter(({ task }) => !stopped.has(task.id)).map((each) => ({ ...each, healthy: true }))
            for (let i = 0; i < plan.start; i++) tasks.push(serviceTask('new', false))
          }
          expect(tasks).toHaveLength(desired)
          expect(tasks.every(({ task, replace }) => task.deploymentId === 'new' && !replace)).toBe(true)
        },
      ),
    )
  })
})
