import type { Clock } from '@berth/shared/clock.ts'
import type { Log } from '@berth/shared/log.ts'
import type { Random } from '@berth/shared/random.ts'
import type { EngineOptions } from './engine/engine-deps.ts'
import { type RunningEngine, startEngine } from './engine/engine.ts'
import type { Journal } from './journal/journal.ts'
import type { ContainerRuntime } from './runtime/container-runtime.ts'
import { askedResources } from './session/asked-resources.ts'
import { HostQuestions } from './session/host-questions.ts'
import { type SessionEnd, startHostSession } from './session/host-session.ts'
import type { HostDescription, SessionOptions } from './session/session-options.ts'
import type { SessionTransport } from './session/session-transport.ts'

/** What an agent is told. */
export interface AgentOptions {
  readonly session: SessionOptions
  readonly engine: EngineOptions
}

/** What an agent is made of: all its time, chance and I/O. */
export interface AgentDeps {
  readonly runtime: ContainerRuntime
  readonly journal: Journal
  readonly transport: SessionTransport
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** What the host has to offer; asked before each try to join. */
  readonly describe: () => Promise<HostDescription>
}

export interface RunningAgent {
  readonly engine: RunningEngine
  /** What is asked of the control plane. */
  readonly questions: HostQuestions
  /** Resolves when the agent will not join any more; rejects when it cannot remember who it is. */
  readonly ended: Promise<SessionEnd>
  /** Says goodbye and closes the journal. Containers run on. */
  stop(): Promise<void>
}

/** Starts one host's agent: its tasks go on from where the journal ends, and it joins the control plane. */
export function startAgent(options: AgentOptions, deps: AgentDeps): RunningAgent {
  const questions = new HostQuestions()
  const engine = startEngine({ ...deps, resources: askedResources(questions) }, options.engine)
  const session = startHostSession({ ...deps, engine, questions }, options.session)
  return {
    engine,
    questions,
    ended: session.ended,
    async stop() {
      await session.stop()
      engine.stop()
      await deps.journal.close()
    },
  }
}
