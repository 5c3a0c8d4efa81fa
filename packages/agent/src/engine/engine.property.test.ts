import type { TaskAssignment } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { taskStatusRank } from '@berth/shared/task-status.ts'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { FakeContainer } from '../runtime/fake/fake-container.ts'
import { engineLab } from './testing/engine-lab.ts'
import { awsvpc, container, task, taskArnOf } from './testing/task-builder.ts'

const names = ['a', 'b', 'c', 'd'] as const
type Name = (typeof names)[number]

/** Each task is of another kind: alone, with a network, with an order, with an end of its own. */
const assignments: Readonly<Record<Name, TaskAssignment>> = {
  a: task('a', [container('app', { mountPoints: [{ sourceVolume: 'v', containerPath: '/v' }] })], {
    volumes: [{ name: 'v', source: { $case: 'hostPath', value: '' } }],
  }),
  b: task('b', [container('app'), container('side', { essential: false })], awsvpc),
  c: task('c', [
    container('db'),
    container('app', { dependsOn: [{ containerName: 'db', condition: 'START' }], stopTimeoutS: 2 }),
    container('job', { image: 'job:1', essential: false, dependsOn: [{ containerName: 'app', condition: 'START' }] }),
  ]),
  d: task('d', [container('app', { image: 'job:1' })], awsvpc),
}

const images = {
  'app:1': { program: { stopMs: [0, 3000] as const, startMs: [0, 300] as const } },
  'job:1': { program: { runMs: [0, 400] as const, exitCode: 3 } },
}

const name = fc.constantFrom(...names)
const happening = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(1500) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('assign' as const), name }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stop' as const), name }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill' as const), which: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), which: fc.nat(9) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('break' as const),
      how: fc.constantFrom('away' as const, 'hung' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('mend' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('lose' as const), rate: fc.constantFrom(0, 0.3, 0.6) }) },
)
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never

const anyLoss = fc.constantFrom(0, 0.3)

/** Lets it all happen, then everything end; says which containers there ever were. */
async function live(seed: number, loss: number, happenings: readonly Happening[]) {
  const lab = engineLab({ seed, images, engine: { cleanupWaitMs: 60_000 } })
  lab.world.faults.answerMs = [0, 100]
  lab.world.faults.answerLoss = loss
  const everything = new Map<string, FakeContainer>()
  const assigned = new Map<Name, TaskAssignment>()
  const look = () => {
    for (const each of lab.world.containers.values()) everything.set(each.runtimeId, each)
  }
  const some = (which: number): FakeContainer | undefined => [...lab.world.containers.values()][which]
  const put = async (task: Name, shouldRun: boolean) => {
    const before = assigned.get(task)
    const assignment = { ...assignments[task], shouldRun: shouldRun && before?.shouldRun !== false }
    assigned.set(task, assignment)
    await lab.assign(assignment)
  }
  for (const each of happenings) {
    if (each.kind === 'wait') await lab.after(each.ms)
    else if (each.kind === 'assign') await put(each.name, true)
    else if (each.kind === 'stop' && assigned.has(each.name)) await put(each.name, false)
    else if (each.kind === 'crash') {
      lab.crash()
      lab.boot()
    } else if (each.kind === 'kill') lab.world.kill(some(each.which)?.runtimeId ?? '')
    else if (each.kind === 'remove') {
      const container = some(each.which)
      if (container) lab.world.remove(container)
    } else if (each.kind === 'break') lab.world.breakEngine(each.how)
    else if (each.kind === 'mend') lab.world.mendEngine()
    else if (each.kind === 'lose') Object.assign(lab.world.faults, { eventLoss: each.rate, answerLoss: each.rate })
    await lab.clock.settle()
    look()
  }
  Object.assign(lab.world.faults, { eventLoss: 0, answerLoss: 0 })
  lab.world.mendEngine()
  await lab.after(120_000)
  look()
  return { lab, everything, assigned }
}

describe('whatever happens to agent, engine and containers', () => {
  test('no container is started twice, and a status never goes back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), anyLoss, fc.array(happening, { maxLength: 40 }), async (seed, loss, happenings) => {
        const { lab, everything, assigned } = await live(seed, loss, happenings)
        const starts = new Map<string, number>()
        for (const { wanted, runs } of everything.values())
          starts.set(wanted.identity.runtimeName, (starts.get(wanted.identity.runtimeName) ?? 0) + runs)
        for (const [runtimeName, count] of starts) expect([runtimeName, count <= 1]).toEqual([runtimeName, true])
        for (const task of assigned.keys()) {
          const ranks = lab.history(task).map((status) => taskStatusRank[status])
          expect(ranks).toEqual([...ranks].sort((x, y) => x - y))
        }
      }),
      { numRuns: 600 },
    )
  })

  test('what is to run runs or has stopped for a reason, and in the end nothing is left of what must stop', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), anyLoss, fc.array(happening, { maxLength: 40 }), async (seed, loss, happenings) => {
        const { lab, assigned } = await live(seed, loss, happenings)
        for (const [task, { shouldRun }] of assigned) {
          const seen = lab.seen(task)
          expect(['RUNNING', 'STOPPED']).toContain(seen.status)
          if (!shouldRun) expect(seen.status).toBe('STOPPED')
          if (seen.status === 'STOPPED') expect([seen.stopCode, seen.stoppedReason]).not.toContain('')
          if (!happenings.some((each) => each.kind === 'remove'))
            for (const { reason } of seen.report.containers) expect(reason).not.toContain('ContainerRemoved')
          for (const each of lab.containers(task)) if (seen.status === 'STOPPED') expect(each.state).not.toBe('running')
        }
        await lab.assignFull()
        await lab.after(300_000)
        expect(lab.engine.tasks()).toEqual([])
        expect([...lab.world.containers.values()]).toEqual([])
        expect([...lab.world.volumes]).toEqual([])
        expect(lab.engine.health()).toEqual({ healthy: true, message: '' })
      }),
      { numRuns: 600 },
    )
  })

  test('a task whose journal was lost is taken back or removed, never doubled', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        anyLoss,
        fc.array(happening, { maxLength: 20 }),
        fc.subarray([...names]),
        async (seed, loss, happenings, kept) => {
          const { lab, everything, assigned } = await live(seed, loss, happenings)
          const ran = new Set([...everything.values()].filter((each) => each.state === 'running'))
          lab.crash()
          lab.disk.records.length = 0
          lab.boot()
          await lab.after(100)
          const wanted = kept.flatMap((task) => assigned.get(task) ?? [])
          await lab.assignFull(...wanted)
          await lab.after(300_000)
          const running = [...lab.world.containers.values()].filter((each) => each.state === 'running')
          const keptArns = new Set(kept.map(taskArnOf))
          for (const each of running) expect(keptArns).toContain(each.wanted.identity.taskArn)
          for (const each of ran) if (running.includes(each)) expect(each.runs).toBe(1)
          const names = running.map((each) => each.wanted.identity.runtimeName)
          expect(new Set(names).size).toBe(names.length)
        },
      ),
      { numRuns: 200 },
    )
  })
})
