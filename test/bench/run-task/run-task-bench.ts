import { parseArgs } from 'node:util'
import { Redis } from 'ioredis'
import { startRedis } from '../../redis/redis-process.ts'
import { type Lab, startLab } from '../lab/lab.ts'
import { processCpu } from '../lab/process-cpu.ts'
import { startProgram } from '../lab/program.ts'
import { redisFigures } from '../lab/redis-figures.ts'
import { type Endpoint, type SignedClient, signedClient } from '../lab/signed-client.ts'
import { median, quantile, type Row } from '../measure.ts'
import { reportRows } from '../report-rows.ts'
import { load } from './load.ts'

const tasksPerCall = 10
const concurrency = 32
const hosts = 3
/** How long a task runs, in ms, before it ends by itself. */
const taskRunsMs = 1000
const asked = 300
/** Spread, since hosts with room for everything would fill up one after the other. */
const request = {
  count: tasksPerCall,
  launchType: 'EC2',
  placementStrategy: [{ type: 'spread', field: 'instanceId' }],
}

/**
 * RunTask (count 10) as often as it goes, on three hosts with the fake runtime and a Redis that writes its log before it
 * answers, against the least that any server must do for it. Each round waits until all of its tasks have run and stopped,
 * and counts what that costs, too. `--profile DIR` has all programs write V8 profiles.
 */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      short: { type: 'boolean', default: false },
      json: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      profile: { type: 'string' },
    },
  })
  const rounds = Number(values.rounds ?? (values.short ? 3 : 5))
  const forMs = Number(values.seconds ?? (values.short ? 2 : 5)) * 1000
  const lab = await startLab({
    hosts,
    runtime: 'fake',
    politeAgents: true,
    controlPlane: { BERTH_STOPPED_TASK_RETENTION: '1m' },
    agent: { ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION: '1m' },
    ...(values.profile !== undefined && { profileTo: values.profile }),
  })
  try {
    const { whole, least } = await measured(lab, rounds, forMs)
    reportRows({ bench: 'run-task', short: values.short, json: values.json, rows: rowsOf(whole, least) })
    return 0
  } finally {
    await lab.stop()
  }
}

/** One round against one server. */
interface Round {
  readonly calls: number
  /** Calls answered a second. */
  readonly rate: number
  readonly latencies: readonly number[]
  /** CPU seconds of the server until the last answer, and until the last task had stopped. */
  readonly answeringCpu: number
  readonly cpu: number
  readonly redisCpu: number
  readonly agentCpu: number
  readonly commits: number
}

async function measured(lab: Lab, rounds: number, forMs: number): Promise<{ whole: Round[]; least: Round[] }> {
  const client = signedClient(lab.endpoint, concurrency)
  const redis = new Redis(lab.redis.url)
  try {
    const definition = await registerShortTask(client)
    const runTask = () => client.call<RunTaskAnswer>('RunTask', { ...request, taskDefinition: definition })
    const first = await runTask()
    const floor = await startLeastServer(lab.endpoint, JSON.stringify(first.tasks[0]))
    try {
      const wholeRound = () =>
        round(
          {
            call: runTask,
            settled: () => allStopped(client),
            pid: lab.controlPlane.pid,
            agents: lab.agents.map(({ pid }) => pid),
            redis,
          },
          forMs,
        )
      const leastRound = () =>
        round(
          {
            call: () => floor.client.call('RunTask', { count: tasksPerCall }),
            settled: async () => {},
            pid: floor.pid,
            agents: [],
            redis: floor.redis,
          },
          forMs,
        )
      await wholeRound()
      await leastRound()
      const whole: Round[] = []
      const least: Round[] = []
      for (let number = 0; number < rounds; number++) {
        whole.push(await wholeRound())
        least.push(await leastRound())
      }
      return { whole, least }
    } finally {
      await floor.stop()
    }
  } finally {
    client.close()
    redis.disconnect()
  }
}

interface RunTaskAnswer {
  readonly tasks: readonly { readonly taskArn: string }[]
}

async function registerShortTask(client: SignedClient): Promise<string> {
  await client.call('RegisterTaskDefinition', {
    family: 'short',
    networkMode: 'host',
    containerDefinitions: [
      {
        name: 'main',
        image: 'bench:latest',
        memory: 6,
        essential: true,
        dockerLabels: {
          'berth.fake.runMs': String(taskRunsMs),
          'berth.fake.startMs': '20',
          'berth.fake.createMs': '5',
        },
      },
    ],
  })
  return 'short'
}

async function allStopped(client: SignedClient): Promise<void> {
  for (;;) {
    const { taskArns } = await client.call<{ taskArns: readonly string[] }>('ListTasks', { maxResults: 1 })
    const stopping = await client.call<{ taskArns: readonly string[] }>('ListTasks', {
      maxResults: 1,
      desiredStatus: 'PENDING',
    })
    if (taskArns.length + stopping.taskArns.length === 0) return
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}

interface Subject {
  readonly call: () => Promise<unknown>
  /** Resolves when everything that the calls began has come to its end. */
  readonly settled: () => Promise<void>
  readonly pid: number
  readonly agents: readonly number[]
  readonly redis: Redis
}

async function round({ call, settled, pid, agents, redis }: Subject, forMs: number): Promise<Round> {
  const before = await redisFigures(redis)
  const cpuBefore = processCpu(pid)
  const agentCpu = () => agents.reduce((sum, agent) => sum + processCpu(agent), 0)
  const agentCpuBefore = agentCpu()
  const { calls, seconds, latencies } = await load(call, concurrency, forMs)
  const answeringCpu = processCpu(pid) - cpuBefore
  await settled()
  const after = await redisFigures(redis)
  return {
    calls,
    rate: calls / seconds,
    latencies,
    answeringCpu,
    cpu: processCpu(pid) - cpuBefore,
    agentCpu: agentCpu() - agentCpuBefore,
    redisCpu: after.cpuSeconds - before.cpuSeconds,
    commits: after.scripts - before.scripts,
  }
}

async function startLeastServer(endpoint: Endpoint, task: string) {
  const server = await startRedis()
  const redis = new Redis(server.url)
  const program = startProgram(
    'test/bench/run-task/least-server.ts',
    {},
    [],
    [server.url, endpoint.secretAccessKey, task],
  )
  const { port } = JSON.parse(await program.logged('listens')) as { port: number }
  const client = signedClient({ ...endpoint, port }, concurrency)
  return {
    client,
    redis,
    pid: program.pid,
    async stop() {
      client.close()
      redis.disconnect()
      await program.stop()
      await server.remove()
    },
  }
}

function rowsOf(whole: readonly Round[], least: readonly Round[]): Row[] {
  const of = (rounds: readonly Round[], figure: (round: Round) => number) => median(rounds.map(figure))
  const perCpuSecond = of(whole, ({ calls, cpu }) => calls / cpu)
  const answersPerCpuSecond = of(whole, ({ calls, answeringCpu }) => calls / answeringCpu)
  const ratios = whole.map(({ calls, cpu }, at) => {
    const floor = least[at] as Round
    return calls / cpu / (floor.calls / floor.cpu)
  })
  const milliseconds = (what: string, figure: number): Row => ({ what, figure, unit: 'ms' })
  return [
    { what: 'RunTask of 10, answered a second (clock)', figure: of(whole, ({ rate }) => rate), unit: '/s' },
    {
      what: '  per CPU second of the control plane, with all that follows until the tasks have stopped',
      figure: perCpuSecond,
      unit: '/s',
      asked: `>= ${asked} on one core`,
      reached: perCpuSecond >= asked,
    },
    { what: '  per CPU second of the control plane, until the last answer', figure: answersPerCpuSecond, unit: '/s' },
    milliseconds(
      '  half are answered within',
      of(whole, ({ latencies }) => quantile(latencies, 0.5)),
    ),
    milliseconds(
      '  99 of 100 are answered within',
      of(whole, ({ latencies }) => quantile(latencies, 0.99)),
    ),
    milliseconds(
      '  CPU of Redis a request',
      of(whole, ({ redisCpu, calls }) => (redisCpu / calls) * 1000),
    ),
    milliseconds(
      '  CPU of the three agents a request',
      of(whole, ({ agentCpu, calls }) => (agentCpu / calls) * 1000),
    ),
    { what: '  durable batches a request', figure: of(whole, ({ commits, calls }) => commits / calls), unit: '' },
    {
      what: 'the least server (SigV4, 10 durable records, answer), answered a second (clock)',
      figure: of(least, ({ rate }) => rate),
      unit: '/s',
    },
    { what: '  per CPU second of its own', figure: of(least, ({ calls, cpu }) => calls / cpu), unit: '/s' },
    { what: '  RunTask against it, per CPU second', figure: median(ratios), unit: 'times' },
  ]
}
