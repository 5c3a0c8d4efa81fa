import { setTimeout as wait } from 'node:timers/promises'
import { seededRandom } from '@berth/shared/random.ts'
import { startHostsLab } from '../hosts/hosts-lab.ts'
import type { LabProcess } from '../hosts/lab-process.ts'
import { quickHostLoss } from '../hosts/lab-in-test.ts'
import { hostSize, untilQuiet } from './chaos-run.ts'
import { watchEngines } from './engine-watch.ts'
import { healAll, leaseMs } from './faults.ts'
import { failpointNames, programOf } from './failpoints/failpoint-names.ts'
import { watchFeed } from './feed-watch.ts'
import { history as newHistory } from './history.ts'
import { ledger as newLedger } from './ledger.ts'
import { prepareLoad, runLoad } from './load.ts'

export interface FailpointReport {
  readonly held: boolean
  readonly violations: readonly string[]
  /** Places at which a process died, each once. */
  readonly died: readonly string[]
  /** Places that no process came to in time. */
  readonly notReached: readonly string[]
  readonly seconds: number
  readonly tasks: number
  readonly history: readonly string[]
  readonly logs: string
}

export interface FailpointOptions {
  readonly seed: number
  /** Default: all of them. */
  readonly names?: readonly string[]
  readonly log?: (line: string) => void
}

/** How long a program may take to come to a place, in ms, before it counts as not reached. */
const reachedWithinMs = 60_000

/**
 * Has a process of a cluster under load die at every place once: the control plane first, then agents on three hosts at once. Each is
 * started again by its supervisor, and in the end everything must be where it was wanted.
 */
export async function runFailpoints({ seed, names = failpointNames, log }: FailpointOptions): Promise<FailpointReport> {
  const began = performance.now()
  const history = newHistory()
  const ledger = newLedger()
  const violations = new Set<string>()
  const violated = (what: string) => void violations.add(what)
  const died: string[] = []
  const notReached: string[] = []
  const lab = await startHostsLab({
    hosts: 3,
    controlPlanes: 1,
    controlPlane: { ...quickHostLoss, BERTH_LEASE: `${leaseMs}ms`, BERTH_HOST_LOST_AFTER: '0s' },
    controlPlaneMain: 'test/chaos/programs/control-plane.ts',
    host: {
      ...hostSize,
      agentMain: 'test/chaos/programs/agent.ts',
      // So that containers, volumes and the last records of a task go while the run goes on.
      agent: { ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION: '1s' },
    },
  })
  const dieAt = async (name: string, process: LabProcess, isBack: string) => {
    const before = process.restarts
    await process.kill()
    // Where it dies before it is ready, the start fails.
    await process.start({ BERTH_FAILPOINT: name }).catch(() => {})
    const deadline = performance.now() + reachedWithinMs
    while (process.restarts === before && performance.now() < deadline) await wait(50)
    const reached = process.restarts > before
    if (reached) died.push(name)
    else notReached.push(name)
    log?.(
      `${died.length + notReached.length} of ${names.length}: ${process.name} ${reached ? 'died at' : 'did not come to'} ${name}`,
    )
    history.note('fault', `${process.name} ${reached ? 'died at' : 'did not come to'} ${name}`)
    if (!reached) {
      await process.kill()
      await process.start()
    }
    await wait(400)
    await process.logged(isBack).catch(() => {})
  }
  const workThrough = async (queue: string[], process: LabProcess, isBack: string) => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) await dieAt(name, process, isBack)
  }
  try {
    const load = { lab, random: seededRandom(seed), ledger, history }
    await prepareLoad(load)
    const feed = watchFeed(lab.redis.url, violated)
    const engines = watchEngines(lab, hostSize, violated)
    const loading = new AbortController()
    const loaded = runLoad(load, 'op', loading.signal)
    const ofAgents = names.filter((name) => programOf(name) === 'agent')
    const ofControlPlane = names.filter((name) => programOf(name) === 'control-plane')
    const [controlPlane] = lab.controlPlanes
    // One after the other: agents come to little while nobody leads.
    if (controlPlane) await workThrough(ofControlPlane, controlPlane.process, 'leads the cell')
    await Promise.all(lab.hosts.map(({ agent }) => workThrough(ofAgents, agent, 'Joined the control plane')))
    loading.abort()
    await loaded
    await healAll(lab)
    for (const what of await untilQuiet(lab, ledger, 240_000, false)) violated(what)
    await feed.stop()
    await engines.stop()
    return {
      held: violations.size === 0 && notReached.length === 0,
      violations: [...violations],
      died,
      notReached,
      seconds: Math.round((performance.now() - began) / 1000),
      tasks: ledger.started.size,
      history: history.lines(),
      logs: violations.size === 0 ? '' : lab.logTails(40),
    }
  } finally {
    await lab.stop()
  }
}
