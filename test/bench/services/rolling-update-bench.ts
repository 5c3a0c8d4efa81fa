import { parseArgs } from 'node:util'
import { makeBusyboxImage, untilStopped } from '../../images/busybox-image.ts'
import { type BareEngine, bareEngine, benchLabel, inParallel } from '../engine/bare-engine.ts'
import { clusterClient } from '../engine/cluster-client.ts'
import { startLab } from '../lab/lab.ts'
import { signedClient } from '../lab/signed-client.ts'
import { median, type Row } from '../measure.ts'
import { reportRows } from '../report-rows.ts'
import { startPrivateEngine } from './private-engine.ts'
import { engineTime, watchContainers } from './container-events.ts'
import { type ServiceClient, serviceClient } from './service-client.ts'

const stopWithinSeconds = 10
/** The same in both: runc works under the container's own CPU shares. */
const limits = { cpuShares: 256, memoryMib: 16 }
const command = [...untilStopped]

/**
 * A rolling update on local hosts that share one Docker engine, which is the bench's own, beside what that engine needs to start as many containers and stop as
 * many when nobody stands between, round for round in turn. Tasks count as healthy when they run, and end at once when they are asked to.
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
      hosts: { type: 'string', default: '3' },
      parallel: { type: 'string', default: '8' },
      profile: { type: 'string' },
    },
  })
  const size = {
    rounds: Number(values.rounds ?? (values.short ? 2 : 5)),
    tasks: Number(values.tasks ?? (values.short ? 6 : 20)),
    parallelism: Number(values.hosts) * Number(values.parallel),
  }
  const own = await startPrivateEngine()
  try {
    const { socket, docker } = own.engine
    const engine = bareEngine(socket)
    const image = await engine.imageId(
      await makeBusyboxImage({ reference: 'berth-bench/ends-when-asked:latest' }, docker),
    )
    const lab = await startLab({
      hosts: Number(values.hosts),
      runtime: 'docker',
      controlPlane: { BERTH_SETTLE_TIME: '0s' },
      agent: {
        DOCKER_HOST: `unix://${socket}`,
        ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION: '1h',
        ECS_DISABLE_IMAGE_CLEANUP: 'true',
        BERTH_PARALLEL_STARTS: values.parallel,
      },
      ...(values.profile !== undefined && { profileTo: values.profile }),
    })
    const client = signedClient(lab.endpoint, 8)
    try {
      const rows: Row[] = []
      for (const networkMode of values.networks.split(',')) {
        const family = `quick-${networkMode}`
        for (const release of ['1', '2'])
          await client.call('RegisterTaskDefinition', {
            family,
            networkMode,
            containerDefinitions: [
              {
                name: 'quick',
                image,
                cpu: limits.cpuShares,
                memory: limits.memoryMib,
                command,
                environment: [{ name: 'RELEASE', value: release }],
                stopTimeout: stopWithinSeconds,
                dockerLabels: { [benchLabel]: 'berth' },
              },
            ],
          })
        const bench = { engine, socket, services: serviceClient(client), image, networkMode, family, size }
        rows.push(...(await measureNetwork(bench, () => clusterClient(client).untilEmpty())))
      }
      reportRows({ bench: 'rolling-update', short: values.short, json: values.json, rows })
      return 0
    } finally {
      client.close()
      await lab.stop()
      engine.close()
    }
  } finally {
    await own.remove()
  }
}

interface Bench {
  readonly engine: BareEngine
  readonly socket: string
  readonly services: ServiceClient
  readonly image: string
  readonly networkMode: string
  readonly family: string
  readonly size: { readonly rounds: number; readonly tasks: number; readonly parallelism: number }
}

interface Round {
  /** What the engine took to start as many, and then to stop as many, in ms. */
  readonly bareStartMs: number
  readonly bareStopMs: number
  /** From UpdateService until the deployment was shown COMPLETED, and until the last old container had ended, in ms. */
  readonly completedMs: number
  readonly endedMs: number
}

async function measureNetwork(bench: Bench, untilEmpty: () => Promise<void>): Promise<Row[]> {
  const { services, size, family, networkMode } = bench
  const name = `rolling-${networkMode}`
  await services.untilCompleted(name, await services.create(name, `${family}:1`, size.tasks), size.tasks)
  const rounds: Round[] = []
  // The first round makes everything warm, and counts for nothing.
  for (let number = 0; number <= size.rounds; number++) {
    const definition = `${family}:${2 - (number % 2)}`
    const turns = [() => bareTurn(bench), () => berthTurn(bench, name, definition)] as const
    const swapped = number % 2 === 1
    const first = await turns[swapped ? 1 : 0]()
    const second = await turns[swapped ? 0 : 1]()
    const round = { ...first, ...second } as Round
    process.stderr.write(
      `${networkMode} round ${number}: bare ${seconds(round.bareStartMs)} + ${seconds(round.bareStopMs)} s, update completed after ${seconds(round.completedMs)} s, old containers ended after ${seconds(round.endedMs)} s\n`,
    )
    if (number > 0) rounds.push(round)
  }
  await services.remove(name)
  await untilEmpty()
  return rowsOf(networkMode, size, rounds)
}

const seconds = (ms: number): string => (ms / 1000).toFixed(2)

/** The engine alone, from as many containers that run to as many others that do. */
async function bareTurn({
  engine,
  image,
  networkMode,
  size,
}: Bench): Promise<Pick<Round, 'bareStartMs' | 'bareStopMs'>> {
  const containers = Array.from({ length: size.tasks }, () => ({ image, command, networkMode, ...limits }))
  const start = () => inParallel(containers, size.parallelism, (container) => engine.start(container))
  const old = await start()
  const began = performance.now()
  const fresh = await start()
  const started = performance.now()
  await inParallel(old, size.parallelism, (id) => engine.stop(id, stopWithinSeconds))
  const stopped = performance.now()
  await inParallel([...old, ...fresh], 4, (id) => engine.remove(id))
  return { bareStartMs: started - began, bareStopMs: stopped - started }
}

async function berthTurn(
  { engine, socket, services, size }: Bench,
  name: string,
  definition: string,
): Promise<Pick<Round, 'completedMs' | 'endedMs'>> {
  const events = await watchContainers(socket, 'berth')
  const began = engineTime()
  const deployment = await services.update(name, definition)
  const completedAt = await services.untilCompleted(name, deployment, size.tasks)
  await events.untilEnded(size.tasks)
  const endedAt = events.ends.at(-1) ?? Number.NaN
  events.close()
  await removeEnded(engine)
  return { completedMs: completedAt - began, endedMs: endedAt - began }
}

async function removeEnded(engine: BareEngine): Promise<void> {
  const ended = await engine.labelled(benchLabel, 'exited')
  await inParallel(ended, 4, (id) => engine.remove(id).catch(() => {}))
}

function rowsOf(network: string, { tasks, parallelism }: Bench['size'], rounds: readonly Round[]): Row[] {
  const of = (figure: (round: Round) => number): number => median(rounds.map(figure))
  const bare = ({ bareStartMs, bareStopMs }: Round): number => bareStartMs + bareStopMs
  const ratio = of((round) => round.completedMs / bare(round))
  const ended = of((round) => Math.max(round.completedMs, round.endedMs) / bare(round))
  const inSeconds = (what: string, ms: number): Row => ({ what, figure: ms / 1000, unit: 's' })
  return [
    inSeconds(
      `${network}: bare engine, parallelism ${parallelism}, ${tasks} started`,
      of((round) => round.bareStartMs),
    ),
    inSeconds(
      `  and ${tasks} stopped`,
      of((round) => round.bareStopMs),
    ),
    inSeconds(
      `  a service of ${tasks}: from UpdateService to COMPLETED`,
      of((round) => round.completedMs),
    ),
    inSeconds(
      '  until the last old container has ended',
      of((round) => round.endedMs),
    ),
    {
      what: '  COMPLETED against the bare engine',
      figure: ratio,
      unit: 'times',
      asked: '<= 1.5',
      reached: ratio <= 1.5,
    },
    { what: '  COMPLETED and all old containers ended, against it', figure: ended, unit: 'times' },
  ]
}
