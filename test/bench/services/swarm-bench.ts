import { parseArgs } from 'node:util'
import { makeBusyboxImage, untilStopped } from '../../images/busybox-image.ts'
import { type BareEngine, bareEngine, benchLabel, inParallel } from '../engine/bare-engine.ts'
import { clusterClient } from '../engine/cluster-client.ts'
import { startLab } from '../lab/lab.ts'
import { signedClient } from '../lab/signed-client.ts'
import { median, type Row } from '../measure.ts'
import { reportRows } from '../report-rows.ts'
import { type ContainerEvents, engineTime, watchContainers } from './container-events.ts'
import { startPrivateEngine } from './private-engine.ts'
import { serviceClient } from './service-client.ts'
import { type NetworkMode, stopGraceSeconds, swarmClient } from './swarm-client.ts'

const command = [...untilStopped]
const memoryMib = 16
/** Docker's own share of the CPU, which Swarm has no setting for. */
const cpuUnits = 1024

/**
 * Berth beside Docker Swarm on one engine, which is the bench's own: the same service is created, updated and removed by both in turn, the
 * image given by its id. What happened when is told by the engine's events.
 */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      short: { type: 'boolean', default: false },
      json: { type: 'string' },
      rounds: { type: 'string' },
      tasks: { type: 'string' },
      networks: { type: 'string', default: 'bridge,host' },
      profile: { type: 'string' },
    },
  })
  const rounds = Number(values.rounds ?? (values.short ? 2 : 5))
  const tasks = Number(values.tasks ?? (values.short ? 6 : 30))
  const own = await startPrivateEngine()
  try {
    const { socket, docker } = own.engine
    const engine = bareEngine(socket)
    const image = await engine.imageId(
      await makeBusyboxImage({ reference: 'berth-bench/ends-when-asked:latest' }, docker),
    )
    const swarm = swarmClient(socket)
    await swarm.init(own.address)
    const lab = await startLab({
      hosts: 1,
      runtime: 'docker',
      controlPlane: { BERTH_SETTLE_TIME: '0s' },
      agent: {
        DOCKER_HOST: `unix://${socket}`,
        ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION: '1h',
        ECS_DISABLE_IMAGE_CLEANUP: 'true',
      },
      ...(values.profile !== undefined && { profileTo: values.profile }),
    })
    const client = signedClient(lab.endpoint, 8)
    try {
      const rows: Row[] = []
      for (const networkMode of values.networks.split(',') as NetworkMode[]) {
        for (const release of ['1', '2'])
          await client.call('RegisterTaskDefinition', {
            family: `quick-${networkMode}`,
            networkMode,
            containerDefinitions: [
              {
                name: 'quick',
                image,
                cpu: cpuUnits,
                memory: memoryMib,
                command,
                environment: [{ name: 'RELEASE', value: release }],
                stopTimeout: stopGraceSeconds,
                dockerLabels: { [benchLabel]: 'berth' },
              },
            ],
          })
        const services = serviceClient(client)
        const berthSide: Side = {
          label: 'berth',
          async create(name) {
            const deployment = await services.create(name, `quick-${networkMode}:1`, tasks)
            return () => services.untilCompleted(name, deployment, tasks)
          },
          async update(name) {
            await services.update(name, `quick-${networkMode}:2`)
          },
          remove: (name) => services.remove(name),
          settled: () => clusterClient(client).untilEmpty(),
        }
        const spec = { image, command, memoryMib, networkMode, replicas: tasks }
        const swarmSide: Side = {
          label: 'swarm',
          async create(name) {
            await swarm.create({ ...spec, name, release: '1' })
            return () => swarm.untilRunning(name, tasks)
          },
          update: (name) => swarm.update({ ...spec, name, release: '2' }),
          remove: (name) => swarm.remove(name),
          settled: async () => {
            while ((await engine.labelled(`${benchLabel}=swarm`)).length > 0) await pause(100)
          },
        }
        const measured = await measure({ engine, socket, networkMode, tasks, rounds, sides: [swarmSide, berthSide] })
        rows.push(...rowsOf(networkMode, tasks, measured))
      }
      reportRows({ bench: 'swarm', short: values.short, json: values.json, rows })
      return 0
    } finally {
      client.close()
      swarm.close()
      await lab.stop()
      engine.close()
    }
  } finally {
    await own.remove()
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** One of the two that are compared. */
interface Side {
  readonly label: 'berth' | 'swarm'
  /** Resolves when the service is accepted, with what waits until its user sees all of it running. */
  create(name: string): Promise<() => Promise<number>>
  update(name: string): Promise<void>
  remove(name: string): Promise<void>
  /** Resolves when nothing of the service is at work any more. */
  settled(): Promise<void>
}

/** One life of a service, in ms. */
interface Life {
  /** From the request until the first container ran, and until the last did. */
  readonly firstMs: number
  readonly lastMs: number
  /** From when the last ran until the user sees it. */
  readonly seenMs: number
  /** Until all new containers ran and all old ones had ended. */
  readonly updateMs: number
  /** Until the last had ended. */
  readonly removeMs: number
}

type Round = Readonly<Record<Side['label'], Life>>

interface Measurement {
  readonly engine: BareEngine
  readonly socket: string
  readonly networkMode: NetworkMode
  readonly tasks: number
  readonly rounds: number
  readonly sides: readonly [Side, Side]
}

async function measure({ engine, socket, networkMode, tasks, rounds, sides }: Measurement): Promise<readonly Round[]> {
  const measured: Round[] = []
  // The first round makes everything warm, and counts for nothing.
  for (let number = 0; number <= rounds; number++) {
    const lives: Partial<Record<Side['label'], Life>> = {}
    for (const side of number % 2 === 0 ? sides : sides.toReversed()) {
      lives[side.label] = await live(side, `${networkMode}-${number}`, tasks, socket)
      await removeContainers(engine)
      await pause(500)
    }
    const round = lives as Round
    process.stderr.write(
      `${networkMode} round ${number}: Swarm ${lifeWords(round.swarm)}; Berth ${lifeWords(round.berth)}\n`,
    )
    if (number > 0) measured.push(round)
  }
  return measured
}

const lifeWords = ({ firstMs, lastMs, seenMs, updateMs, removeMs }: Life): string =>
  `first ${Math.round(firstMs)}, last ${Math.round(lastMs)}, seen +${Math.round(seenMs)}, update ${Math.round(updateMs)}, remove ${Math.round(removeMs)} ms`

async function live(side: Side, name: string, tasks: number, socket: string): Promise<Life> {
  const created = await timed(side.label, socket, async (events) => {
    const untilSeen = await side.create(name)
    const seenAt = await untilSeen()
    await events.untilStarted(tasks)
    return seenAt
  })
  const updated = await timed(side.label, socket, async (events) => {
    await side.update(name)
    await Promise.all([events.untilStarted(tasks), events.untilEnded(tasks)])
  })
  await pause(500)
  const removed = await timed(side.label, socket, async (events) => {
    await side.remove(name)
    await events.untilEnded(tasks)
  })
  await side.settled()
  const lastStart = created.starts.at(-1) ?? Number.NaN
  return {
    firstMs: (created.starts[0] ?? Number.NaN) - created.beganAt,
    lastMs: lastStart - created.beganAt,
    seenMs: created.result - lastStart,
    updateMs: Math.max(updated.starts[tasks - 1] ?? 0, updated.ends[tasks - 1] ?? 0) - updated.beganAt,
    removeMs: (removed.ends[tasks - 1] ?? Number.NaN) - removed.beganAt,
  }
}

async function timed<T>(label: Side['label'], socket: string, work: (events: ContainerEvents) => Promise<T>) {
  const events = await watchContainers(socket, label)
  const beganAt = engineTime()
  const result = await work(events)
  events.close()
  return { beganAt, result, starts: events.starts, ends: events.ends }
}

async function removeContainers(engine: BareEngine): Promise<void> {
  await inParallel(await engine.labelled(benchLabel), 4, (id) => engine.remove(id).catch(() => {}))
}

function rowsOf(network: NetworkMode, tasks: number, rounds: readonly Round[]): Row[] {
  const of = (figure: (round: Round) => number): number => median(rounds.map(figure))
  const both = (what: string, figure: (life: Life) => number): Row[] => [
    { what: `${what}: Swarm`, figure: of(({ swarm }) => figure(swarm)), unit: 'ms' },
    { what: '  Berth', figure: of(({ berth }) => figure(berth)), unit: 'ms' },
  ]
  const ratio = (
    what: string,
    asked: string,
    figure: (round: Round) => number,
    reaches: (ratio: number) => boolean,
  ): Row => {
    const value = of(figure)
    return { what: `  ${what}`, figure: value, unit: 'times', asked, reached: reaches(value) }
  }
  const seen = of(({ berth }) => berth.seenMs)
  return [
    ...both(`${network}: ${tasks} replicas created, the last runs after`, ({ lastMs }) => lastMs),
    ratio(
      "rate of create, Berth's by Swarm's",
      '>= 1.0',
      ({ swarm, berth }) => swarm.lastMs / berth.lastMs,
      (value) => value >= 1,
    ),
    ...both('the first container runs after', ({ firstMs }) => firstMs),
    ratio(
      "Berth's by Swarm's",
      '<= 0.5',
      ({ swarm, berth }) => berth.firstMs / swarm.firstMs,
      (value) => value <= 0.5,
    ),
    { what: 'all is seen running after the last runs: Swarm', figure: of(({ swarm }) => swarm.seenMs), unit: 'ms' },
    { what: '  Berth', figure: seen, unit: 'ms', asked: '<= 500 ms', reached: seen <= 500 },
    ...both('an update of all: new ones run, old ones have ended after', ({ updateMs }) => updateMs),
    ratio(
      "Berth's by Swarm's",
      '<= 1.0',
      ({ swarm, berth }) => berth.updateMs / swarm.updateMs,
      (value) => value <= 1,
    ),
    ...both('removed, the last has ended after', ({ removeMs }) => removeMs),
    ratio(
      "Berth's by Swarm's",
      '<= 1.0',
      ({ swarm, berth }) => berth.removeMs / swarm.removeMs,
      (value) => value <= 1,
    ),
  ]
}
