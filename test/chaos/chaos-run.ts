import { setTimeout as wait } from 'node:timers/promises'
import { type Random, seededRandom } from '@berth/shared/random.ts'
import { containersOnAll, viewCluster } from '../hosts/cluster-view.ts'
import { type HostsLab, type HostsLabOptions, startHostsLab } from '../hosts/hosts-lab.ts'
import type { LabHostOptions } from '../hosts/lab-host.ts'
import { quickHostLoss } from '../hosts/lab-in-test.ts'
import { between, chance, oneOf } from './choice.ts'
import { type HostSize, watchEngines } from './engine-watch.ts'
import { endTasks, type FaultName, faultNames, faults, healAll, leaseMs, type Strike } from './faults.ts'
import { watchFeed } from './feed-watch.ts'
import { finalInvariants, type FinalView } from './final-invariants.ts'
import { type History, history as newHistory } from './history.ts'
import { type Ledger, ledger as newLedger } from './ledger.ts'
import { prepareLoad, runLoad } from './load.ts'

export interface ChaosOptions {
  readonly seed: number
  /** How many, by chance; or which, in this order. */
  readonly faults: number | readonly FaultName[]
  /** From which they are drawn. Default: all. */
  readonly among?: readonly FaultName[]
  readonly hosts?: number
  readonly controlPlanes?: number
  /** Changes of the lab, as for a planted bug. */
  readonly lab?: Omit<Partial<HostsLabOptions>, 'host'>
  readonly host?: LabHostOptions
  /** What each host offers. */
  readonly size?: HostSize
  /** How long everything may take to be quiet again after the last fault, in ms. */
  readonly quietWithinMs?: number
  /** Stops at the first thing that is wrong. */
  readonly stopAtFirst?: boolean
  /** Once it aborts nothing more is struck: all is healed and looked at, and the run ends. */
  readonly signal?: AbortSignal
  readonly log?: (line: string) => void
}

export interface ChaosReport {
  readonly seed: number
  readonly held: boolean
  /** What was wrong, each once. */
  readonly violations: readonly string[]
  readonly faults: Readonly<Record<string, number>>
  readonly seconds: number
  readonly requests: Ledger['counts']
  readonly tasks: number
  readonly stops: number
  readonly commits: number
  readonly epochs: number
  readonly samples: number
  readonly peakCpu: number
  readonly history: readonly string[]
  readonly logs: string
}

export const hostSize: HostSize = { cpu: 1024, memoryMib: 512 }

/** After so many faults all is healed and looked at, so that what a long run finds is near what did it. */
const checkedEvery = 50

/** Runs a real cluster under load through faults, heals it, and says what did not hold. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const began = performance.now()
  const { size = hostSize } = options
  const history = newHistory()
  const ledger = newLedger()
  const violations = new Set<string>()
  const found = new AbortController()
  const violated = (what: string) => {
    if (violations.has(what)) return
    violations.add(what)
    history.note('WRONG', what)
    options.log?.(`WRONG: ${what}`)
    if (options.stopAtFirst) found.abort()
  }
  const struck: Record<string, number> = {}
  const lab = await startHostsLab({
    hosts: options.hosts ?? 3,
    controlPlanes: options.controlPlanes ?? 2,
    clocks: true,
    blockDisks: true,
    ...options.lab,
    controlPlane: { ...quickHostLoss, BERTH_LEASE: `${leaseMs}ms`, ...options.lab?.controlPlane },
    host: {
      ...size,
      ...options.host,
      // So that a run of an hour does not leave an hour's containers on the hosts.
      agent: { ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION: '30s', ...options.host?.agent },
    },
  })
  try {
    const load = { lab, random: seededRandom(options.seed + 1), ledger, history }
    await prepareLoad(load)
    // With replicas, what the primary alone has is no promise, and may go in a fail-over.
    const feed = options.lab?.redisServers === 3 ? undefined : watchFeed(lab.redis.url, violated)
    const engines = watchEngines(lab, size, violated)
    const random = seededRandom(options.seed)
    const names =
      typeof options.faults === 'number' ? chosen(random, options.faults, options.among ?? faultNames) : options.faults
    const strikes: Strikes = { lab, options, random, names, history, struck, violated }
    const enough = AbortSignal.any([found.signal, ...(options.signal ? [options.signal] : [])])
    for (let done = 0; done < names.length && !enough.aborted; done += checkedEvery) {
      const loading = new AbortController()
      const loaded = runLoad(load, `op-${done}`, loading.signal)
      await wait(3000)
      await strikeAll(strikes, done, done + checkedEvery, enough)
      loading.abort()
      await loaded
      await healAll(lab).catch((error: unknown) => violated(`the harness could not heal everything: ${String(error)}`))
      history.note('runner', 'everything is healed')
      if (found.signal.aborted) break
      const mayEnd = Object.keys(struck).some((name) => endTasks.has(name as FaultName))
      const wrong = await untilQuiet(lab, ledger, options.quietWithinMs ?? 240_000, mayEnd)
      for (const what of wrong) violated(what)
      const how = wrong.length === 0 ? 'everything is quiet and as it should be' : 'it does not become quiet'
      history.note('runner', how)
      options.log?.(`${how}; ${ledger.started.size} tasks were acknowledged`)
    }
    await feed?.stop()
    await engines.stop()
    return {
      seed: options.seed,
      held: violations.size === 0,
      violations: [...violations],
      faults: struck,
      seconds: Math.round((performance.now() - began) / 1000),
      requests: ledger.counts,
      tasks: ledger.started.size,
      stops: ledger.stopped.size,
      commits: feed?.commits ?? 0,
      epochs: feed?.epochs ?? 0,
      samples: engines.samples,
      peakCpu: engines.peakCpu,
      history: history.lines(),
      logs: violations.size === 0 ? '' : lab.logTails(40),
    }
  } finally {
    await lab.stop()
  }
}

interface Strikes {
  readonly lab: HostsLab
  readonly options: ChaosOptions
  readonly random: Random
  readonly names: readonly FaultName[]
  readonly history: History
  readonly struck: Record<string, number>
  readonly violated: (what: string) => void
}

/** Faults one after the other, from one number to another; some begin before the last is over. */
async function strikeAll(
  { lab, options, random, names, history, struck, violated }: Strikes,
  from: number,
  to: number,
  signal: AbortSignal,
): Promise<void> {
  const busy = new Set<string>()
  const ending = new Set<Promise<void>>()
  for (const [index, name] of [...names.entries()].slice(from, to)) {
    if (signal.aborted) break
    const strike = await faults[name]({ lab, random })
    if (strike.things.some((thing) => busy.has(thing))) await Promise.all(ending)
    struck[name] = (struck[name] ?? 0) + 1
    options.log?.(`${index + 1} of ${names.length}: ${name} (${strike.target}), ${strike.lastsMs} ms`)
    history.note('fault', `${name} (${strike.target}), ${strike.lastsMs} ms`)
    const failed = (error: unknown) => violated(`the harness failed at "${name}" of ${strike.target}: ${String(error)}`)
    await begin(strike).catch(failed)
    for (const thing of strike.things) busy.add(thing)
    const over = endLater(strike, name, history)
      .catch(failed)
      .finally(() => {
        for (const thing of strike.things) busy.delete(thing)
        ending.delete(over)
      })
    ending.add(over)
    if (chance(random, 0.5)) await wait(between(random, 200, 1500))
    else await Promise.all(ending)
    await wait(between(random, 300, 1500))
  }
  await Promise.all(ending)
}

const begin = async (strike: Strike): Promise<void> => strike.begin()

async function endLater(strike: Strike, name: string, history: History): Promise<void> {
  await wait(strike.lastsMs)
  await strike.end()
  history.note('fault', `over: ${name} (${strike.target})`)
}

/** Every fault comes before one comes again. */
function chosen(random: Random, count: number, among: readonly FaultName[]): readonly FaultName[] {
  const names: FaultName[] = []
  let left: FaultName[] = []
  while (names.length < count) {
    if (left.length === 0) left = [...among]
    const name = oneOf(random, left)
    left = left.filter((each) => each !== name)
    names.push(name)
  }
  return names
}

/** Waits until everything is as it should be, and returns what still is not when time is over. */
export async function untilQuiet(
  lab: HostsLab,
  ledger: Ledger,
  withinMs: number,
  mayEnd: boolean,
): Promise<readonly string[]> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const wrong = await lookOnce(lab, ledger, mayEnd).catch((error: unknown) => [
      `the cluster cannot be looked at: ${String(error)}`,
    ])
    if (wrong.length === 0 || performance.now() > deadline) return wrong
    await wait(1000)
  }
}

async function lookOnce(lab: HostsLab, ledger: Ledger, mayEnd: boolean): Promise<readonly string[]> {
  const client = lab.client()
  try {
    const [cluster, containers] = await Promise.all([viewCluster(client), containersOnAll(lab.hosts)])
    const view: FinalView = { cluster, containers, ledger, mayEnd }
    return Object.values(finalInvariants).flatMap((invariant) => invariant(view))
  } finally {
    client.destroy()
  }
}
