import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { CliError } from '../cli-error.ts'
import { ownProgram } from '../own-program.ts'
import type { FakeHostPlan, WorkerNews, WorkerOrder, WorkerSetup } from './worker-messages.ts'

/** What all workers together have seen. Counts are totals since the start. */
export type FleetNews = Omit<WorkerNews, 'startedTasks'>

/** The processes that play the hosts of a lab. */
export interface HostWorkers {
  add(hosts: readonly FakeHostPlan[]): Promise<void>
  /** What becomes of hosts, by their numbers. */
  order(kind: 'kill' | 'partition' | 'return', numbers: readonly number[]): Promise<void>
  news(): FleetNews
  /** Tasks that have started since the last call, some of them, by ARN. */
  takeStartedTasks(): string[]
  /** Ends all workers; hosts leave in order. */
  stop(): Promise<void>
}

/** A worker that does not end in order within this time, in ms, is killed. */
const stopWithinMs = 10_000
/** A heap that a worker of five thousand hosts with a hundred tasks each does not fill (3.3 KB a task, 60 KB a host), in MiB: more would only be garbage. */
const heapMib = 6_144
/** Room for what is new and soon gone, in MiB: with the 16 that Node gives, a quarter of the CPU of the hosts is the collector. */
const youngMib = 64

const silent: WorkerNews = {
  assigned: 0,
  lastAssignedAt: 0,
  started: 0,
  ended: 0,
  startedTasks: [],
  cpuSeconds: 0,
  rssBytes: 0,
}

/** Starts `count` workers. Host `n` is played by worker `n % count`. */
export async function startHostWorkers(count: number, setup: WorkerSetup): Promise<HostWorkers> {
  const workers = Array.from({ length: count }, () => new Worker())
  const workerOf = (number: number): number => number % count
  const toEach = async (order: (worker: number) => WorkerOrder | undefined): Promise<void> => {
    await Promise.all(
      workers.map(async (worker, index) => {
        const said = order(index)
        if (said !== undefined) await worker.obey(said)
      }),
    )
  }
  await toEach(() => ({ kind: 'setup', setup }))
  return {
    add: (hosts) =>
      toEach((worker) => ({ kind: 'add', hosts: hosts.filter(({ number }) => workerOf(number) === worker) })),
    order: (kind, numbers) =>
      toEach((worker) => ({ kind, numbers: numbers.filter((number) => workerOf(number) === worker) })),
    news: () => {
      const sum = (member: keyof FleetNews) => workers.reduce((total, { news }) => total + news[member], 0)
      return {
        assigned: sum('assigned'),
        lastAssignedAt: Math.max(...workers.map(({ news }) => news.lastAssignedAt)),
        started: sum('started'),
        ended: sum('ended'),
        cpuSeconds: sum('cpuSeconds'),
        rssBytes: sum('rssBytes'),
      }
    },
    takeStartedTasks: () => workers.flatMap((worker) => worker.takeStartedTasks()),
    async stop() {
      await Promise.all(workers.map((worker) => worker.stop()))
    },
  }
}

type Word = { readonly done: number; readonly error?: string } | { readonly news: WorkerNews }

/** One worker, seen from the lab's own process. */
class Worker {
  news: WorkerNews = silent
  #startedTasks: string[] = []
  readonly #child: ChildProcess
  readonly #open = new Map<number, PromiseWithResolvers<void>>()
  #lastId = 0
  #ended: Error | undefined

  constructor() {
    const { command, args } = ownProgram('lab-hosts')
    this.#child = spawn(command, args, {
      // By the environment, which Node reads also where it is inside the program's own file.
      env: {
        ...process.env,
        // What the lab itself was started with, such as a profiler, is for its workers, too.
        NODE_OPTIONS: `--max-old-space-size=${heapMib} --max-semi-space-size=${youngMib} ${process.env['NODE_OPTIONS'] ?? ''}`,
      },
      // Infinity, as tasks that run for ever have it, is no JSON.
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#child.on('message', (word: Word) => this.#hear(word))
    this.#child.once('exit', (code, signal) => {
      this.#ended = new CliError(`A process that plays hosts ended with ${signal ?? `exit code ${code}`}.`)
      for (const { reject } of this.#open.values()) reject(this.#ended)
      this.#open.clear()
    })
  }

  obey(order: WorkerOrder): Promise<void> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    const id = ++this.#lastId
    const done = Promise.withResolvers<void>()
    this.#open.set(id, done)
    this.#child.send({ id, order })
    return done.promise
  }

  takeStartedTasks(): string[] {
    const taken = this.#startedTasks
    this.#startedTasks = []
    return taken
  }

  async stop(): Promise<void> {
    if (this.#ended !== undefined) return
    const gone = once(this.#child, 'exit')
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), stopWithinMs)
    await this.obey({ kind: 'stop' }).catch(() => undefined)
    if (this.#child.connected) this.#child.disconnect()
    await gone
    clearTimeout(kill)
  }

  #hear(word: Word): void {
    if ('news' in word) {
      this.news = word.news
      this.#startedTasks.push(...word.news.startedTasks)
      return
    }
    const open = this.#open.get(word.done)
    this.#open.delete(word.done)
    if (word.error === undefined) open?.resolve()
    else open?.reject(new Error(word.error))
  }
}
