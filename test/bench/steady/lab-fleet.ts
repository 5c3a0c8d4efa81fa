import type { CommandContext } from '@berth/cli/command-context.ts'
import { viewFleet } from '@berth/cli/lab/fleet-view.ts'
import { type HostWorkers, startHostWorkers } from '@berth/cli/lab/host-workers.ts'
import { type LabCluster, startOwnCluster } from '@berth/cli/lab/lab-cluster.ts'
import { labTaskDefinition } from '@berth/cli/lab/lab-task-definition.ts'
import { labTask, usualHosts } from '@berth/cli/lab/scenario.ts'
import { processClock } from '@berth/cli/process-clock.ts'
import { progressTo } from '@berth/cli/progress.ts'
import { stopSignals } from '@berth/cli/up/stop-signals.ts'
import { systemRandom } from '@berth/shared/random.ts'

/** A control plane of one's own with fake hosts in it, and nothing that looks at it unless it is told to. */
export interface LabFleet {
  readonly cluster: LabCluster
  readonly workers: HostWorkers
  readonly taskDefinition: string
  /** Host numbers, from 1. */
  readonly hosts: number
  /** CPU seconds of the control plane so far. */
  readonly cpu: () => number
  /** Resolves when it holds. @throws when the bench was told to stop, or after half an hour. */
  readonly until: (condition: () => Promise<boolean>, everyMs?: number) => Promise<void>
  stop(): Promise<void>
}

/** Processes that play hosts: one for each core of the machine that the figures are asked for. */
const workerCount = 2
const patienceMs = 1_800_000

/** Starts it, and resolves when all hosts are connected. Tasks are so small that `tasksPerHost` of them fit on each with room to spare. */
export async function startLabFleet(hosts: number, tasksPerHost: number): Promise<LabFleet> {
  const say = (line: string): void => void process.stderr.write(`${line}\n`)
  const clock = processClock
  const signals = stopSignals(clock)
  const context: CommandContext = { environment: process.env, clock, random: systemRandom(), out: say, err: say }
  const progress = progressTo(clock, say)
  const cluster = await startOwnCluster({ context, progress, signal: signals.first })
  const ending: (() => Promise<void>)[] = [() => cluster.stop()]
  const stop = async () => {
    for (const end of ending.splice(0).toReversed()) await end()
    signals.release()
  }
  const until = async (condition: () => Promise<boolean>, everyMs = 200): Promise<void> => {
    const giveUpAt = clock.monotonic() + patienceMs
    while (!(await condition())) {
      signals.first.throwIfAborted()
      if (clock.monotonic() > giveUpAt) throw new Error('It does not come about.')
      await new Promise((resolve) => setTimeout(resolve, everyMs))
    }
  }
  try {
    const share = tasksPerHost * 1.25
    const task = labTask({
      cpu: Math.max(1, Math.floor(usualHosts.cpu / share)),
      memory: Math.max(6, Math.floor(usualHosts.memory / share)),
    })
    const workers = await startHostWorkers(workerCount, {
      servers: [cluster.server],
      token: cluster.token,
      trust: cluster.trust,
      cluster: cluster.cluster,
      seed: 1,
      tasks: { small: task },
    })
    ending.push(() => workers.stop())
    await progress.step(`${hosts} hosts join`, async () => {
      await workers.add(
        Array.from({ length: hosts }, (_, index) => ({
          number: index + 1,
          zone: `${cluster.region}${'abc'[index % 3]}`,
          cpu: usualHosts.cpu,
          memoryMib: usualHosts.memory,
        })),
      )
      await until(async () => {
        const seen = await viewFleet(cluster.ecs, cluster.cluster)
        return seen.filter(({ connected }) => connected).length === hosts
      }, 2000)
    })
    const definition = labTaskDefinition('small', task, 1)
    await cluster.ecs('RegisterTaskDefinition', definition)
    const cpu = () => cluster.usage()?.controlPlane.cpuSeconds ?? 0
    return { cluster, workers, taskDefinition: definition.family, hosts, cpu, until, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The part of a core that the control plane takes while nobody asks it for anything. */
export async function idlePart({ cpu }: LabFleet, seconds: number): Promise<number> {
  const before = cpu()
  const from = performance.now()
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  return (cpu() - before) / ((performance.now() - from) / 1000)
}
