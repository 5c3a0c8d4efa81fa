import { rmSync } from 'node:fs'
import { z } from 'zod'
import { CliError } from '../cli-error.ts'
import type { DataDirectory } from './data-directory.ts'
import { readIfThere, replacePrivateFile } from './private-file.ts'
import { isAlive, processIdentity } from '@berth/shared/process-identity.ts'

const port = z.int().min(1).max(65_535)

const runStateSchema = z.object({
  version: z.literal(1),
  phase: z.enum(['starting', 'ready', 'stopping']),
  supervisor: processIdentity,
  /** When this `berth up` began, in ms since the epoch. */
  startedAt: z.number(),
  endpoint: z.url(),
  ports: z.object({ api: port, agents: port, redis: port }),
  account: z.string(),
  region: z.string(),
  cluster: z.string(),
  hosts: z.array(
    z.object({ name: z.string(), address: z.string(), zone: z.string(), cpu: z.int(), memoryMib: z.int() }),
  ),
  /** In the order in which they are started; they are stopped in the reverse order. */
  processes: z.array(z.object({ name: z.string(), identity: processIdentity.optional(), restarts: z.int() })),
})

/** What a supervisor says of its cluster: who runs, and where it is reached. */
export type RunState = Readonly<z.infer<typeof runStateSchema>>

/** @throws CliError for a file that is none, or of another version of Berth. */
export function parseRunState(path: string, text: string): RunState {
  try {
    return runStateSchema.parse(JSON.parse(text))
  } catch (cause) {
    throw new CliError(
      `${path} cannot be read: another version of Berth wrote it, or somebody edited it. Stop the processes that it names, and delete it.`,
      { cause },
    )
  }
}

/** @throws CliError as `parseRunState`. */
export function readRunState(directory: DataDirectory): RunState | undefined {
  const text = readIfThere(directory.run)
  return text === undefined ? undefined : parseRunState(directory.run, text)
}

export const writeRunState = (directory: DataDirectory, state: RunState): void =>
  replacePrivateFile(directory.run, `${JSON.stringify(state, undefined, 2)}\n`)

export const removeRunState = (directory: DataDirectory): void => rmSync(directory.run, { force: true })

/** Whether somebody looks after the cluster. Its processes may run on when nobody does. */
export const isSupervised = (state: RunState): boolean => isAlive(state.supervisor)

/** Whether the API can be expected to answer, now or as soon as its process was restarted. */
export function isUp(state: RunState): boolean {
  if (state.phase !== 'ready') return false
  const controlPlane = state.processes.find(({ name }) => name === 'control-plane')?.identity
  return isSupervised(state) || (controlPlane !== undefined && isAlive(controlPlane))
}

/** What is to be said where a command needs a cluster that is up. */
export function requireUp(directory: DataDirectory): RunState {
  const state = readRunState(directory)
  if (state !== undefined && isUp(state)) return state
  const starting = state?.phase === 'starting' && isSupervised(state)
  throw new CliError(
    starting
      ? `Berth is still starting (data directory ${directory.root}).`
      : `Berth is not up (data directory ${directory.root}). Start it: berth up --detach`,
  )
}
