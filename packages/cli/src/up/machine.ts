import { availableParallelism, totalmem } from 'node:os'
import { CliError } from '../cli-error.ts'
import type { Machine } from './machine-share.ts'

/** What the Docker engine answers to `GET /info`, as much of it as matters here. */
interface EngineInfo {
  readonly NCPU?: number
  readonly MemTotal?: number
}

const bytesPerMib = 2 ** 20

/** What the hosts of a cluster share: what their container engine has, or this machine where containers are feigned. */
export const readMachine = (environment: NodeJS.ProcessEnv): Promise<Machine> =>
  environment['BERTH_RUNTIME'] === 'fake'
    ? Promise.resolve({ cpus: availableParallelism(), memoryMib: Math.floor(totalmem() / bytesPerMib) })
    : readEngineFacts(environment)

/** Longer than an engine at work takes to describe itself, in ms. */
const answersWithinMs = 15_000

/** @throws CliError when no engine answers. */
async function readEngineFacts(environment: NodeJS.ProcessEnv): Promise<Machine> {
  // Loaded only by the commands that speak to the engine: it takes longer to load than the rest of the command.
  const { connectEngine } = await import('../engine/docker-engine.ts')
  const { docker, address } = connectEngine(environment, answersWithinMs)
  let info: EngineInfo
  try {
    info = (await docker.info()) as EngineInfo
  } catch (cause) {
    throw new CliError(
      `The Docker engine does not answer at ${address} (${(cause as Error).message}). Start it, for example by "npm start" or "systemctl start docker".`,
      { cause },
    )
  }
  if (!info.NCPU || !info.MemTotal) throw new CliError(`The Docker engine at ${address} does not say what it has.`)
  return { cpus: info.NCPU, memoryMib: Math.floor(info.MemTotal / bytesPerMib) }
}
