import { availableParallelism } from 'node:os'
import type { Clock } from '@berth/shared/clock.ts'
import { seededRandom } from '@berth/shared/random.ts'
import { fullnessOf } from './fleet-view.ts'
import { type HostWorkers, startHostWorkers } from './host-workers.ts'
import type { LabCluster } from './lab-cluster.ts'
import { LabHostList } from './lab-hosts.ts'
import { type LabReport, ratesOf, type Sample, type StepReport } from './lab-report.ts'
import { Player } from './play-scenario.ts'
import { patientClient } from './patient-client.ts'
import { Recorder, usageOver } from './recorder.ts'
import { refusalInEvent, Refusals } from './refusals.ts'
import type { Scenario } from './scenario.ts'
import { viewServices } from './steady.ts'

export interface LabRun {
  readonly title: string
  readonly scenario: Scenario
  readonly cluster: LabCluster
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly onSample: (sample: Sample) => void
  readonly onStep: (name: string) => void
}

/** Hosts that one worker plays before another is worth its memory, up to a worker for each core. */
const hostsPerWorker = 100

/**
 * Plays a scenario against a cluster that nobody else's hosts are in.
 *
 * @throws CliError when a step cannot be done at all; the signal's reason.
 */
export async function runLab(run: LabRun): Promise<LabReport> {
  const { scenario } = run
  let unanswered = 0
  const ecs = patientClient(run.cluster.ecs, run.clock, () => void (unanswered += 1))
  const cluster = { ...run.cluster, ecs }
  const most = scenario.hosts.count + addedHosts(scenario)
  const count = Math.max(1, Math.min(availableParallelism(), Math.ceil(most / hostsPerWorker)))
  const { server, token, trust } = cluster
  const setup = {
    servers: [server],
    token,
    trust,
    cluster: cluster.cluster,
    seed: scenario.seed,
    tasks: scenario.tasks,
  }
  const workers = await startHostWorkers(count, setup)
  try {
    const report = await playOn(workers, { ...run, cluster })
    return { ...report, unanswered }
  } finally {
    await workers.stop()
  }
}

const addedHosts = ({ steps }: Scenario): number =>
  steps.reduce((sum, step) => sum + (step.kind === 'addHosts' ? step.with.count : 0), 0)

async function playOn(workers: HostWorkers, run: LabRun): Promise<Omit<LabReport, 'unanswered'>> {
  const { scenario, cluster, clock, signal, onSample, onStep } = run
  const random = seededRandom(scenario.seed)
  const refusals = new Refusals()
  const hosts = new LabHostList(cluster.region, random)
  const startedAt = new Date(clock.now()).toISOString()
  const recorder = new Recorder({ clock, cluster, workers, refused: () => refusals.total, onSample })
  const stage = { clock, random, cluster, workers, hosts, recorder, refusals, signal, onStep }
  const player = new Player(scenario, stage)
  let steps: StepReport[]
  try {
    steps = await player.play()
  } finally {
    await recorder.stop()
  }
  for (const { events } of await viewServices(cluster.ecs, cluster.cluster, player.services))
    for (const { message } of events) {
      const reason = refusalInEvent(message)
      if (reason !== undefined) refusals.add(reason)
    }
  return reportOf({ run, startedAt, hosts: hosts.count, steps, recorder, refusals })
}

interface Played {
  readonly run: LabRun
  readonly startedAt: string
  readonly hosts: number
  readonly steps: readonly StepReport[]
  readonly recorder: Recorder
  readonly refusals: Refusals
}

function reportOf({ run, startedAt, hosts, steps, recorder, refusals }: Played): Omit<LabReport, 'unanswered'> {
  const { samples } = recorder
  const last = samples.at(-1)
  const controlPlane = usageOver(samples.map((sample) => sample.controlPlane))
  const redis = usageOver(samples.map((sample) => sample.redis))
  return {
    title: run.title,
    seed: run.scenario.seed,
    hosts,
    startedAt,
    tookMs: recorder.elapsedMs(),
    whole: steps.every(({ succeeded }) => succeeded),
    steps,
    placed: last?.placed ?? 0,
    started: last?.started ?? 0,
    ended: last?.ended ?? 0,
    peakPlacedPerSecond: Math.max(0, ...ratesOf(samples, ({ placed }) => placed)),
    peakStartedPerSecond: Math.max(0, ...ratesOf(samples, ({ started }) => started)),
    times: recorder.taskClock.times(),
    refusals: refusals.byReason(),
    fullness: last?.fullness ?? fullnessOf([]),
    ...(controlPlane && { controlPlane }),
    ...(redis && { redis }),
    workers: usageOver(samples.map(({ workers }) => workers)) ?? { cpuSeconds: 0, rssBytes: 0 },
    samples,
  }
}
