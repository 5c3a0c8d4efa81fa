import { CliError } from '../cli-error.ts'
import type { Machine } from './machine-share.ts'

/** What the Docker engine answers to `GET /info`, as much of it as matters here. */
interface EngineInfo {
  readonly NCPU?: number
  readonly MemTotal?: number
  readonly ServerVersion?: string
}

export interface EngineFacts extends Machine {
  readonly version: string
}

/** Longer than an engine at work takes to describe itself, in ms. */
const answersWithinMs = 15_000

/** @throws CliError when no engine answers. */
export async function readEngineFacts(environment: NodeJS.ProcessEnv): Promise<EngineFacts> {
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
  return { cpus: info.NCPU, memoryMib: Math.floor(info.MemTotal / 2 ** 20), version: info.ServerVersion ?? 'unknown' }
}
