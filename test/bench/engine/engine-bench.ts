import { parseArgs } from 'node:util'
import { makeBusyboxImage } from '../../images/busybox-image.ts'
import { type Lab, startLab } from '../lab/lab.ts'
import { processCpu } from '../lab/process-cpu.ts'
import { signedClient } from '../lab/signed-client.ts'
import { median, quantile, type Row } from '../measure.ts'
import { reportRows } from '../report-rows.ts'
import { type BareEngine, bareEngine, benchLabel, inParallel, type StartWatch } from './bare-engine.ts'
import { type ClusterClient, clusterClient } from './cluster-client.ts'
import { engineCpu } from './engine-cpu.ts'

const bareParallelism = 8
const removeParallelism = 4
const command = ['sleep', '1000000']
/** The same in both: runc works under the container's own CPU shares, and with few of them waits for everybody else. */
const limits = { cpuShares: 256, memoryMib: 16 }

/**
 * Berth on a real Docker engine against a tight loop over the same engine's API, round for round in turn: the rate at which
 * a service reaches RUNNING, what one RunTask adds, what agent and control plane cost, and how soon a death is seen.
 */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      short: { type: 'boolean', default: false },
      json: { type: 'string' },
      networks: { type: 'string', default: 'host,none' },
      rounds: { type: 'string' },
      tasks: { type: 'string' },
      hosts: { type: 'string', default: '1' },
      parallel: { type: 'string' },
      profile: { type: 'string' },
    },
  })
  const size: Size = {
    rounds: Number(values.rounds ?? (values.short ? 3 : 5)),
    tasks: Number(values.tasks ?? (values.short ? 20 : 50)),
    singles: values.short ? 10 : 20,
  }
  const engine = bareEngine()
  const image = await engine.imageId(await makeBusyboxImage({ reference: 'berth-bench/sleep:latest', command }))
  const lab = await startLab({
    hosts: Number(values.hosts),
    runtime: 'docker',
    agent: {
      ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION: '1h',
      ECS_DISABLE_IMAGE_CLEANUP: 'true',
      ...(values.parallel !== undefined && { BERTH_PARALLEL_STARTS: values.parallel }),
    },
    ...(values.profile !== undefined && { profileTo: values.profile }),
  })
  const client = signedClient(lab.endpoint, 8)
  try {
    const rows: Row[] = []
    for (const networkMode of values.networks.split(',')) {
      const definition = `sleep-${networkMode}`
      await client.call('RegisterTaskDefinition', {
        family: definition,
        networkMode,
        containerDefinitions: [
          {
            name: 'sleep',
            image,
            cpu: limits.cpuShares,
            memory: limits.memoryMib,
            essential: true,
            command,
            stopTimeout: 2,
            dockerLabels: { [benchLabel]: 'berth' },
          },
        ],
      })
      const bench = { lab, engine, cluster: clusterClient(client), image, definition, networkMode, size }
      rows.push(...(await measureNetwork(bench)))
    }
    reportRows({ bench: 'engine', short: values.short, json: values.json, rows })
    return 0
  } finally {
    client.close()
    await lab.stop()
    await removeContainers(engine)
    engine.close()
  }
}

interface Size {
  readonly rounds: number
  /** Containers of a service. */
  readonly tasks: number
  /** Single tasks that are started, and that are killed. */
  readonly singles: number
}

interface Bench {
  readonly lab: Lab
  readonly engine: BareEngine
  readonly cluster: ClusterClient
  readonly image: string
  readonly definition: string
  readonly networkMode: string
  readonly size: Size
}

/** One round of starting many. */
interface StartRound {
  readonly bareRate: number
  readonly berthRate: number
  /** CPU seconds of the engine a container when asked directly, and when asked by Berth. */
  readonly bareEngineCpu: number
  readonly berthEngineCpu: number
  /** CPU seconds of agents and control plane a container. */
  readonly agentCpu: number
  readonly controlPlaneCpu: number
}

async function measureNetwork(bench: Bench): Promise<Row[]> {
  const { size, networkMode } = bench
  await startRound(bench, 0)
  const starts: StartRound[] = []
  for (let number = 1; number <= size.rounds; number++) starts.push(await startRound(bench, number))
  const singles: SingleStart[] = []
  for (let number = 0; number < size.singles; number++) singles.push(await singleStart(bench))
  await clear(bench)
  const deaths = await deathsSeen(bench)
  await clear(bench)
  return rowsOf(networkMode, size, starts, singles, deaths)
}

async function startRound(bench: Bench, number: number): Promise<StartRound> {
  const { size } = bench
  const turns = [() => bareStarts(bench), () => serviceStarts(bench, `service-${bench.networkMode}-${number}`)] as const
  const swapped = number % 2 === 1
  const first = await turns[swapped ? 1 : 0]()
  const second = await turns[swapped ? 0 : 1]()
  const [bare, berth] = swapped ? [second, first] : [first, second]
  const round = {
    bareRate: size.tasks / bare.seconds,
    berthRate: size.tasks / berth.seconds,
    bareEngineCpu: bare.engineCpu / size.tasks,
    berthEngineCpu: berth.engineCpu / size.tasks,
    agentCpu: berth.agentCpu / size.tasks,
    controlPlaneCpu: berth.controlPlaneCpu / size.tasks,
  }
  const milliseconds = (seconds: number) => (seconds * 1000).toFixed(1)
  process.stderr.write(
    `${bench.networkMode} round ${number}: bare ${round.bareRate.toFixed(1)}/s, Berth ${round.berthRate.toFixed(1)}/s, CPU a container: engine ${milliseconds(round.bareEngineCpu)} and ${milliseconds(round.berthEngineCpu)} ms, agent ${milliseconds(round.agentCpu)} ms, control plane ${milliseconds(round.controlPlaneCpu)} ms\n`,
  )
  return round
}

interface Turn {
  readonly seconds: number
  readonly engineCpu: number
  readonly agentCpu: number
  readonly controlPlaneCpu: number
}

async function bareStarts(bench: Bench): Promise<Turn> {
  const { engine, image, networkMode, size } = bench
  return timed(bench, async () => {
    const containers = Array.from({ length: size.tasks }, () => ({ image, command, networkMode, ...limits }))
    await inParallel(containers, bareParallelism, (container) => engine.start(container))
  })
}

async function serviceStarts(bench: Bench, name: string): Promise<Turn> {
  const { cluster, definition, size } = bench
  const turn = await timed(bench, async (watch) => {
    await cluster.createService(name, definition, size.tasks)
    await watch.reached(size.tasks)
    await cluster.untilRunning(name, size.tasks)
  })
  await cluster.deleteService(name)
  await cluster.untilEmpty()
  return turn
}

/** Runs `work` from an engine that holds nothing of the bench. What Berth has started is left for its tasks' end. */
async function timed({ engine, lab }: Bench, work: (watch: StartWatch) => Promise<void>): Promise<Turn> {
  await removeContainers(engine)
  const watch = await engine.watchStarts()
  const agentCpu = () => lab.agents.reduce((sum, { pid }) => sum + processCpu(pid), 0)
  const before = { engine: engineCpu([]), agent: agentCpu(), controlPlane: processCpu(lab.controlPlane.pid) }
  const began = performance.now()
  await work(watch)
  const seconds = (performance.now() - began) / 1000
  watch.close()
  const after = { agent: agentCpu(), controlPlane: processCpu(lab.controlPlane.pid) }
  return {
    seconds,
    engineCpu: engineCpu(await engine.labelled(benchLabel)) - before.engine,
    agentCpu: after.agent - before.agent,
    controlPlaneCpu: after.controlPlane - before.controlPlane,
  }
}

async function removeContainers(engine: BareEngine): Promise<void> {
  await inParallel(await engine.labelled(benchLabel), removeParallelism, (id) => engine.remove(id).catch(() => {}))
}

/** Leaves no task and no container. */
async function clear({ cluster, engine }: Bench): Promise<void> {
  await cluster.untilEmpty()
  await removeContainers(engine)
}

/** How long one start took, in ms, directly and as a task. */
interface SingleStart {
  readonly bareMs: number
  readonly taskMs: number
}

const pollSinglesEveryMs = 5

async function singleStart({ engine, cluster, image, definition, networkMode }: Bench): Promise<SingleStart> {
  const began = performance.now()
  const id = await engine.start({ image, command, networkMode, ...limits })
  const bareMs = performance.now() - began
  await engine.remove(id)
  const asked = performance.now()
  const task = await cluster.runTask(definition)
  await cluster.untilStatus(task, 'RUNNING', pollSinglesEveryMs)
  const taskMs = performance.now() - asked
  await cluster.stopTask(task)
  await cluster.untilStatus(task, 'STOPPED', 100)
  return { bareMs, taskMs }
}

/** How long after each kill describe-tasks showed it, in ms, from before the engine was asked to kill. */
async function deathsSeen({ engine, cluster, definition, size }: Bench): Promise<number[]> {
  const seen: number[] = []
  for (let number = 0; number < size.singles; number++) {
    const task = await cluster.runTask(definition)
    const { containers } = await cluster.untilStatus(task, 'RUNNING', 50)
    const began = performance.now()
    await engine.kill(containers[0]?.runtimeId ?? '')
    await cluster.untilStatus(task, 'STOPPED', pollSinglesEveryMs)
    seen.push(performance.now() - began)
  }
  return seen
}

function rowsOf(
  network: string,
  { tasks }: Size,
  starts: readonly StartRound[],
  singles: readonly SingleStart[],
  deaths: readonly number[],
): Row[] {
  const of = (figure: (round: StartRound) => number) => median(starts.map(figure))
  const rateRatio = of(({ berthRate, bareRate }) => berthRate / bareRate)
  const cpuShare = of(({ agentCpu, controlPlaneCpu, bareEngineCpu }) => (agentCpu + controlPlaneCpu) / bareEngineCpu)
  const added = median(singles.map(({ bareMs, taskMs }) => taskMs - bareMs))
  const milliseconds = (what: string, figure: number): Row => ({ what, figure, unit: 'ms' })
  const seen = Math.max(...deaths)
  return [
    {
      what: `${network}: bare engine, parallelism ${bareParallelism}, containers started`,
      figure: of(({ bareRate }) => bareRate),
      unit: '/s',
    },
    { what: `  a service of ${tasks} reaches RUNNING`, figure: of(({ berthRate }) => berthRate), unit: '/s' },
    {
      what: '  against the bare engine',
      figure: rateRatio,
      unit: 'times',
      asked: '>= 0.90',
      reached: rateRatio >= 0.9,
    },
    milliseconds(
      '  CPU of the engine a container, asked directly',
      of(({ bareEngineCpu }) => bareEngineCpu * 1000),
    ),
    milliseconds(
      '  CPU of the engine a container, asked by Berth',
      of(({ berthEngineCpu }) => berthEngineCpu * 1000),
    ),
    milliseconds(
      '  CPU of the agent a container',
      of(({ agentCpu }) => agentCpu * 1000),
    ),
    milliseconds(
      '  CPU of the control plane a container',
      of(({ controlPlaneCpu }) => controlPlaneCpu * 1000),
    ),
    {
      what: '  agent and control plane against the engine',
      figure: cpuShare * 100,
      unit: '%',
      asked: '<= 10 %',
      reached: cpuShare <= 0.1,
    },
    milliseconds('  one bare create and start', median(singles.map(({ bareMs }) => bareMs))),
    milliseconds('  one RunTask until describe-tasks shows RUNNING', median(singles.map(({ taskMs }) => taskMs))),
    { what: '  what the task takes longer', figure: added, unit: 'ms', asked: '<= 25 ms', reached: added <= 25 },
    milliseconds('  a killed container is in describe-tasks after, half of the times', median(deaths)),
    milliseconds('  9 of 10 times', quantile(deaths, 0.9)),
    { what: '  at most', figure: seen, unit: 'ms', asked: '<= 500 ms', reached: seen <= 500 },
  ]
}
