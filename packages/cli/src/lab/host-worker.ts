import { processClock } from '../process-clock.ts'
import type { FakeImage, FakeProgram, FakeScript } from '@berth/agent/runtime/fake/fake-script.ts'
import { sleep } from '@berth/shared/clock.ts'
import { seededRandom } from '@berth/shared/random.ts'
import { FakeHost } from './fake-host.ts'
import { certifiedTransports, type TransportOfHost } from './lab-trust.ts'
import type { LabTask } from './scenario.ts'
import { labTaskLabel } from './lab-task-definition.ts'
import { newsEveryMs, type WorkerNews, type WorkerOrder, type WorkerSetup } from './worker-messages.ts'

/** Started tasks that are named in one word: enough for percentiles, and little to ask the control plane about. */
const namedTasks = 50
/** Hosts that start at the same moment; the rest follow once these are in, so that a lab of thousands does not knock all at once. */
const startedTogether = 50
/** How long the rest wait for that at most, in ms. */
const joinWithinMs = 1000

/**
 * A process of the lab that plays many hosts: orders come from the lab's own process, each is answered when it is done, and
 * news goes back. It ends when the lab does.
 */
const hosts = new Map<number, FakeHost>()
let setup: WorkerSetup | undefined
let script: FakeScript = scriptOf({})
let transportOf: TransportOfHost | undefined
const totals = { assigned: 0, lastAssignedAt: 0, started: 0, ended: 0 }
let startedTasks: string[] = []

async function obey(order: WorkerOrder): Promise<void> {
  switch (order.kind) {
    case 'setup':
      setup = order.setup
      script = scriptOf(setup.tasks)
      if (setup.trust !== undefined) transportOf = await certifiedTransports(setup.trust, processClock)
      return
    case 'add': {
      const added = order.hosts.map((plan) => newHost(plan))
      for (const host of added) await host.prepare()
      for (let at = 0; at < added.length; at += startedTogether)
        await startTogether(added.slice(at, at + startedTogether))
      return
    }
    case 'kill':
      await Promise.all(chosen(order.numbers).map((host) => host.kill()))
      return
    case 'partition':
      for (const host of chosen(order.numbers)) host.partition()
      return
    case 'return':
      await Promise.all(chosen(order.numbers).map((host) => host.return()))
      return
    case 'stop':
      await Promise.all([...hosts.values()].map((host) => host.stop()))
  }
}

async function startTogether(some: readonly FakeHost[]): Promise<void> {
  await Promise.all(some.map((host) => host.start()))
  const enough = new AbortController()
  const waited = sleep(processClock, joinWithinMs, enough.signal).catch(() => undefined)
  await Promise.race([Promise.all(some.map((host) => host.joined)), waited])
  enough.abort()
}

function newHost(plan: ConstructorParameters<typeof FakeHost>[0]): FakeHost {
  if (setup === undefined) throw new Error('a worker was given hosts before its setup')
  const host = new FakeHost(plan, {
    clock: processClock,
    random: seededRandom(setup.seed * 1_000_003 + plan.number),
    setup,
    transportOf,
    script,
    onAssigned(tasks) {
      totals.assigned += tasks
      totals.lastAssignedAt = processClock.now()
    },
    onStarted(taskArn) {
      totals.started += 1
      if (startedTasks.length < namedTasks) startedTasks.push(taskArn)
    },
    onEnded() {
      totals.ended += 1
    },
  })
  hosts.set(plan.number, host)
  return host
}

const chosen = (numbers: readonly number[]): FakeHost[] =>
  numbers.flatMap((number) => {
    const host = hosts.get(number)
    return host === undefined ? [] : [host]
  })

/** Containers say by a label which task of the scenario they are; images by their name. */
function scriptOf(tasks: Readonly<Record<string, LabTask>>): FakeScript {
  const programs = new Map(Object.entries(tasks).map(([name, task]) => [name, programOf(task)]))
  const images = new Map<string, Partial<FakeImage>>()
  const imageOf = (reference: string): Partial<FakeImage> => {
    const task = tasks[/^lab\/([^:]+):/.exec(reference)?.[1] ?? '']
    return task === undefined ? {} : { pullMs: task.pull }
  }
  return {
    image(reference) {
      const known = images.get(reference)
      if (known !== undefined) return known
      const image = imageOf(reference)
      images.set(reference, image)
      return image
    },
    program: ({ labels }) => programs.get(labels[labTaskLabel] ?? '') ?? unknownProgram,
  }
}

const programOf = (task: LabTask): Partial<FakeProgram> => ({
  startMs: task.start,
  runMs: task.run,
  exitCode: task.exitCode,
  crashRate: task.crashRate,
  crashWithinMs: task.crashWithin,
  stopMs: task.stop,
})

const unknownProgram: Partial<FakeProgram> = {}

function news(): WorkerNews {
  const { user, system } = process.cpuUsage()
  const word = {
    ...totals,
    startedTasks,
    cpuSeconds: (user + system) / 1e6,
    rssBytes: process.memoryUsage.rss(),
  }
  startedTasks = []
  return word
}

process.on('message', ({ id, order }: { readonly id: number; readonly order: WorkerOrder }) => {
  obey(order).then(
    () => tell({ done: id }),
    (error: unknown) => tell({ done: id, error: String((error as Error).stack) }),
  )
})
/** The lab's own process may be gone, or about to be: `disconnect` then ends this one. */
const tell = (word: object): void => {
  if (process.connected) process.send?.(word, undefined, undefined, () => undefined)
}
process.on('disconnect', () => process.exit())
// A Ctrl-C in the terminal reaches everybody: the lab's own process decides what comes of it.
process.on('SIGINT', () => undefined)
setInterval(() => tell({ news: news() }), newsEveryMs)
