import { readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { CliError } from '../cli-error.ts'
import type { CommandContext } from '../command-context.ts'
import { progressTo } from '../progress.ts'
import { stopSignals } from '../up/stop-signals.ts'
import { joinGivenCluster, type LabCluster, startOwnCluster } from './lab-cluster.ts'
import type { LabReport, Sample } from './lab-report.ts'
import { reportHtml } from './report-html.ts'
import { progressLine, reportText } from './report-text.ts'
import { runLab } from './run-lab.ts'
import { type LabHosts, parseScenario, type Scenario, usualHosts, usualScenario, withHosts } from './scenario.ts'

/** What `berth lab` was told. */
export interface LabOptions {
  /** The hosts to begin with: what is said counts before what the scenario says. */
  readonly hosts: Partial<LabHosts>
  readonly scenario?: string | undefined
  readonly seed?: number | undefined
  /** Where the page goes. */
  readonly report?: string | undefined
  readonly json: boolean
  /** A control plane that runs already, and where agents join it. */
  readonly endpoint?: string | undefined
  readonly agentEndpoint?: string | undefined
  readonly cluster: string
}

/** How often a line of progress is printed, in samples: each second on a terminal, to a file less often. */
const samplesPerLine = () => (process.stderr.isTTY ? 1 : 5)

/**
 * Plays a scenario on fake hosts and reports.
 *
 * @returns 0 when every step did what it was to do, 1 when not.
 * @throws CliError for a scenario that cannot be read, and what keeps it from being played.
 */
export async function lab(options: LabOptions, context: CommandContext): Promise<number> {
  const scenario = scenarioOf(options)
  const signals = stopSignals(context.clock)
  try {
    const cluster = await openCluster(options, context, signals.first)
    try {
      const title = options.scenario === undefined ? 'Filling hosts' : basename(options.scenario)
      const report = await runLab({
        title,
        scenario,
        cluster,
        clock: context.clock,
        signal: signals.first,
        ...liveProgress(context.err),
      })
      hand(report, options, context)
      return report.whole ? 0 : 1
    } finally {
      await cluster.stop()
    }
  } catch (error) {
    if (signals.first.aborted) throw new CliError('Stopped before the scenario was through.', { cause: error })
    throw error
  } finally {
    signals.release()
  }
}

function scenarioOf({ scenario: file, hosts, seed }: LabOptions): Scenario {
  const scenario =
    file === undefined
      ? usualScenario({ ...usualHosts, ...hosts })
      : withHosts(parseScenario(readScenario(file), file), hosts)
  return seed === undefined ? scenario : { ...scenario, seed }
}

function readScenario(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new CliError(`${file} cannot be read: ${(cause as Error).message}`, { cause })
  }
}

function openCluster(options: LabOptions, context: CommandContext, signal: AbortSignal): Promise<LabCluster> {
  const { endpoint, agentEndpoint, cluster } = options
  if (endpoint === undefined)
    return startOwnCluster({ context, progress: progressTo(context.clock, context.err), signal })
  if (agentEndpoint === undefined) throw new CliError('Say with --agent-endpoint where agents join the control plane.')
  return joinGivenCluster({ endpoint, agentEndpoint, cluster }, context.environment)
}

/** Prints each step as it begins, and a line of figures now and then. */
export function liveProgress(say: (line: string) => void) {
  let step = ''
  let shown: Sample | undefined
  let samples = 0
  return {
    onStep(name: string) {
      step = name
      say(`==> ${name}`)
    },
    onSample(sample: Sample) {
      samples += 1
      if (samples % samplesPerLine() !== 0) return
      say(progressLine(sample, shown, step))
      shown = sample
    },
  }
}

function hand(report: LabReport, { json, report: page }: LabOptions, { out, err }: CommandContext): void {
  out(json ? JSON.stringify(report, undefined, 2) : reportText(report))
  if (page === undefined) return
  writeFileSync(page, reportHtml(report))
  err(`The page is ${page}.`)
}
