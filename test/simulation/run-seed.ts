import { seededRandom } from '@berth/shared/random.ts'
import { activateHosts, actOnce, stopFaults, stopSingleTasks } from './driver.ts'
import { actOnFurtherServices } from './further-services.ts'
import { drainedHostsAreEmpty } from './invariants/services.ts'
import { someTime } from './choice.ts'
import { registrations } from './definitions.ts'
import type { Plant } from './plants.ts'
import { Simulation } from './simulation.ts'
import type { Experience } from './tally.ts'

export interface RunOptions {
  readonly seed: number
  /** Things that are done to the cell before the faults stop. */
  readonly steps?: number
  readonly hosts?: number
  readonly plant?: Plant
  /** Whether the cell has a DAEMON service and one with task sets, too. */
  readonly furtherServices?: boolean
}

export interface RunResult {
  /** Equal for runs in which the same happened. */
  readonly fingerprint: number
  /** Virtual time that the run took, in ms. */
  readonly virtualMs: number
  /** How often it went through each thing. */
  readonly counts: ReadonlyMap<Experience, number>
}

/** Things that are done to a cell in one run. */
export const stepsPerSeed = 100

/** The longest that a cell may take to settle once nothing goes wrong any more: virtual time in ms. */
const longestToSettle = 20 * 60_000

/** A seed under which something that must hold did not. */
export class SeedFailed extends Error {
  readonly seed: number
  constructor(seed: number, step: string, problem: string, recent: readonly string[], cause: unknown) {
    super(
      [
        `seed ${seed}, ${step}: ${problem}`,
        `replay: SEED=${seed} pnpm vitest run --project unit test/simulation/one-seed.test.ts`,
        'what happened last:',
        ...recent.map((line) => `  ${line}`),
      ].join('\n'),
      { cause },
    )
    this.name = 'SeedFailed'
    this.seed = seed
  }
}

/**
 * Runs one whole cell through a life of chance, lets it settle, and looks at everything all the time.
 *
 * @throws SeedFailed when something that must hold does not.
 */
export async function runSeed({
  seed,
  steps = stepsPerSeed,
  hosts = 3,
  plant,
  furtherServices = false,
}: RunOptions): Promise<RunResult> {
  const sim = new Simulation(seed, hosts, plant)
  const begin = sim.clock.now()
  const furtherChance = seededRandom(seed + 1_000_000)
  let step = 'at the start'
  try {
    await begun(sim, hosts)
    for (let number = 1; number <= steps; number++) {
      step = `step ${number} of ${steps}`
      actOnce(sim)
      if (furtherServices) actOnFurtherServices(sim, furtherChance)
      await sim.pass(someTime(sim.random))
    }
    step = 'in the end'
    stopFaults(sim)
    await settled(sim)
  } catch (error) {
    throw new SeedFailed(seed, step, (error as Error).message, sim.history.recent(), error)
  }
  return { fingerprint: sim.history.fingerprint, virtualMs: sim.clock.now() - begin, counts: sim.tally.counts }
}

/** Somebody leads, all hosts are in, and there is something to run. */
async function begun(sim: Simulation, hosts: number): Promise<void> {
  const limit = sim.clock.now() + 60_000
  while (!sim.leader || sim.records.hosts.size < hosts) {
    if (sim.clock.now() > limit) throw new Error('the cell did not begin')
    await sim.pass(200)
  }
  const { leader } = sim
  let registered = 0
  for (const registration of registrations) {
    sim.call(leader, 'RegisterTaskDefinition', registration, (answer) => {
      if (answer.kind === 'answered') registered++
      else sim.sawStatus(`RegisterTaskDefinition: ${answer.message}`)
    })
    await sim.pass(20)
  }
  await sim.pass(100)
  if (registered < registrations.length) throw new Error('the task definitions could not be registered')
}

/** First what is drained becomes empty, then, with all hosts, everything comes to where it was wanted. */
async function settled(sim: Simulation): Promise<void> {
  await sim.pass(40_000)
  await until(sim, () => {
    stopSingleTasks(sim)
    return drainedHostsAreEmpty(sim.view)
  })
  await until(sim, () => {
    activateHosts(sim)
    stopSingleTasks(sim)
    return sim.unsettled()
  })
}

/** Lets time pass until `problem` finds none. */
async function until(sim: Simulation, problem: () => string | undefined): Promise<void> {
  const limit = sim.clock.now() + longestToSettle
  for (let found = problem(); found !== undefined; found = problem()) {
    if (sim.clock.now() > limit) throw new Error(`after ${longestToSettle / 60_000} quiet minutes, ${found}`)
    await sim.pass(5000)
  }
}
