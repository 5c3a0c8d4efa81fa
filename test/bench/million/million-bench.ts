import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { CommandContext } from '@berth/cli/command-context.ts'
import { liveProgress } from '@berth/cli/lab/lab.ts'
import { startOwnCluster } from '@berth/cli/lab/lab-cluster.ts'
import type { LabReport, Sample } from '@berth/cli/lab/lab-report.ts'
import { reportHtml } from '@berth/cli/lab/report-html.ts'
import { runLab } from '@berth/cli/lab/run-lab.ts'
import { labTask, type Scenario, usualHosts } from '@berth/cli/lab/scenario.ts'
import { processClock } from '@berth/cli/process-clock.ts'
import { progressTo } from '@berth/cli/progress.ts'
import { stopSignals } from '@berth/cli/up/stop-signals.ts'
import { systemRandom } from '@berth/shared/random.ts'
import type { Row } from '../measure.ts'
import { reportRows } from '../report-rows.ts'

/** The whole thing, of which the figures that are asked speak. */
const whole = { tasks: 1_000_000, hosts: 10_000 }
const askedSeconds = 300
const askedMib = 3 * 1024
/** How long the cluster is watched doing nothing afterwards, unless `--idle SECONDS` says otherwise. */
const idleSeconds = 20
/** For the control plane and what else is no worker, in MiB: room for what is new and soon gone, and an end to what is kept of it. */
const memory = ['--max-semi-space-size=32', '--max-old-space-size=2048']
/** Room for tasks on each host, against what it gets when all have as many. */
const room = 1.25
/** How long it may take until all are RUNNING before that counts as a failure. */
const withinMs = 1_800_000

/**
 * A million tasks (or `--tasks N`) on ten thousand fake hosts (or `--hosts N`), over gRPC and Redis, on this machine: how long
 * until all are RUNNING, where the time goes, and what it takes of CPU and memory.
 */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      tasks: { type: 'string' },
      hosts: { type: 'string' },
      json: { type: 'string' },
      report: { type: 'string' },
      profile: { type: 'string' },
      idle: { type: 'string' },
    },
  })
  const tasks = Number(values.tasks ?? whole.tasks)
  const hosts = Number(values.hosts ?? whole.hosts)
  // A V8 profile of the control plane and of each process that plays hosts.
  if (values.profile !== undefined) process.env['NODE_OPTIONS'] = `--cpu-prof --cpu-prof-dir=${values.profile}`
  const idleMs = Number(values.idle ?? idleSeconds) * 1000
  const report = await play(tasks, hosts, idleMs)
  const isShort = tasks < whole.tasks || hosts < whole.hosts
  reportRows({ bench: 'million', short: isShort, json: values.json, rows: rowsOf(report, tasks, isShort) })
  if (values.report !== undefined) writeFileSync(values.report, reportHtml(report))
  return report.whole && report.started === tasks && Object.keys(report.refusals).length === 0 ? 0 : 1
}

function scenarioOf(tasks: number, hosts: number, idleMs: number): Scenario {
  const each = Math.ceil((tasks / hosts) * room)
  const small = labTask({ cpu: Math.floor(usualHosts.cpu / each), memory: Math.floor(usualHosts.memory / each) })
  return {
    seed: 1,
    hosts: { ...usualHosts, count: hosts },
    tasks: { small },
    steps: [
      { kind: 'runTasks', with: { task: 'small', count: tasks, strategy: [], constraints: [] } },
      { kind: 'waitUntilSteady', with: withinMs },
      { kind: 'wait', with: idleMs },
    ],
  }
}

async function play(tasks: number, hosts: number, idleMs: number): Promise<LabReport> {
  const say = (line: string): void => void process.stderr.write(`${line}\n`)
  const context: CommandContext = {
    environment: { ...process.env, NODE_OPTIONS: [process.env['NODE_OPTIONS'] ?? '', ...memory].join(' ') },
    clock: processClock,
    random: systemRandom(),
    out: say,
    err: say,
  }
  const signals = stopSignals(processClock)
  const signal = signals.first
  const cluster = await startOwnCluster({ context, progress: progressTo(processClock, say), signal })
  try {
    return await runLab({
      title: `${tasks} tasks on ${hosts} hosts`,
      scenario: scenarioOf(tasks, hosts, idleMs),
      cluster,
      clock: processClock,
      signal,
      ...liveProgress(say),
    })
  } finally {
    await cluster.stop()
    signals.release()
  }
}

function rowsOf(report: LabReport, tasks: number, isShort: boolean): Row[] {
  const [joining, asking, settling] = report.steps
  const beganMs = asking?.fromMs ?? 0
  const seconds = ((settling?.toMs ?? 0) - beganMs) / 1000
  const askingSeconds = ((asking?.toMs ?? 0) - beganMs) / 1000
  const { controlPlane, redis, workers, times } = report
  const cpu = controlPlane?.cpuSeconds ?? 0
  const mib = (controlPlane?.rssBytes ?? 0) / 2 ** 20
  const { samples } = report
  const began = samples.findLast(({ atMs }) => atMs <= beganMs)
  const settled = samples.find(({ atMs }) => atMs >= (settling?.toMs ?? 0))
  const last = samples.at(-1)
  const settledCpu = cpuBetween(began, settled)
  const idleSeconds = ((last?.atMs ?? 0) - (settled?.atMs ?? 0)) / 1000
  const time = (what: string, ms: number): Row => ({ what, figure: ms / 1000, unit: 's' })
  return [
    time(`${report.hosts} hosts join`, (joining?.toMs ?? 0) - (joining?.fromMs ?? 0)),
    {
      what: `all ${tasks} tasks RUNNING, from the first RunTask`,
      figure: seconds,
      unit: 's',
      ...(!isShort && { asked: `<= ${askedSeconds} s`, reached: report.whole && seconds <= askedSeconds }),
    },
    { what: '  tasks RUNNING a second', figure: report.started / seconds, unit: '/s' },
    { what: '  tasks placed a second, until the last RunTask was answered', figure: tasks / askingSeconds, unit: '/s' },
    { what: '  most tasks started in one second', figure: report.peakStartedPerSecond, unit: '/s' },
    time('time of a task, mean: created to RUNNING', times.toRunning.mean),
    time('  until its host begins to pull', times.toHost.mean),
    time('  pull (played)', times.pulling.mean),
    time('  create and start (played), and its report', times.starting.mean),
    time('time of a task, half: created to RUNNING', times.toRunning.p50),
    time('time of a task, 99 of 100: created to RUNNING', times.toRunning.p99),
    { what: 'CPU until all are RUNNING: control plane, a task', figure: (settledCpu / tasks) * 1e6, unit: 'us' },
    { what: 'CPU of the whole run: control plane', figure: cpu, unit: 's' },
    { what: '  Redis', figure: redis?.cpuSeconds ?? 0, unit: 's' },
    { what: '  fake hosts', figure: workers.cpuSeconds, unit: 's' },
    {
      what: 'control plane, most resident',
      figure: mib,
      unit: 'MiB',
      ...(!isShort && { asked: `< ${askedMib} MiB`, reached: mib < askedMib }),
    },
    { what: 'Redis, most resident', figure: (redis?.rssBytes ?? 0) / 2 ** 20, unit: 'MiB' },
    { what: 'fake hosts, most resident', figure: workers.rssBytes / 2 ** 20, unit: 'MiB' },
    {
      what: 'control plane idle with all of them',
      figure: (cpuBetween(settled, last) / idleSeconds) * 100,
      unit: '% of a core',
    },
  ]
}

const cpuBetween = (from: Sample | undefined, to: Sample | undefined): number =>
  (to?.controlPlane?.cpuSeconds ?? 0) - (from?.controlPlane?.cpuSeconds ?? 0)
