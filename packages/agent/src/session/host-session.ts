import { backoffDelay } from '@berth/shared/backoff.ts'
import { type Clock, sleep } from '@berth/shared/clock.ts'
import type { Hello, TaskAssignment, Welcome } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import type { Log } from '@berth/shared/log.ts'
import { type Random, randomUuid } from '@berth/shared/random.ts'
import type { TaskEngine } from '../engine/task-engine.ts'
import type { HostIdentity } from '../journal/journal-record.ts'
import { ensureIdentity } from '../journal/host-identity.ts'
import type { JournaledTask } from '../journal/journal-state.ts'
import type { Journal } from '../journal/journal.ts'
import { Conversation, type ConversationEnd } from './conversation.ts'
import type { HostQuestions } from './host-questions.ts'
import { ServerRotation } from './server-rotation.ts'
import { type HostDescription, protocolVersion, type SessionOptions, sessionTimes } from './session-options.ts'
import type { SessionTransport } from './session-transport.ts'

export interface HostSessionDeps {
  readonly transport: SessionTransport
  readonly engine: TaskEngine
  readonly questions: HostQuestions
  readonly journal: Journal
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** What the host has to offer; asked before each Hello. */
  readonly describe: () => Promise<HostDescription>
}

/** Why a session is over for good. */
export type SessionEnd =
  | { readonly kind: 'stopped' }
  /** The container instance was deregistered. Its containers are left as they are. */
  | { readonly kind: 'deregistered'; readonly message: string }

export interface RunningSession {
  /** Resolves when no server will be tried any more; rejects when the journal cannot keep the host's identity. */
  readonly ended: Promise<SessionEnd>
  /** Says goodbye and lets go. Resolves when nothing is being handled any more. */
  stop(): Promise<void>
}

/** Joins the control plane, and joins it again whenever the connection is lost, for ever. */
export function startHostSession(deps: HostSessionDeps, options: SessionOptions): RunningSession {
  const session = new HostSession(deps, options)
  const ended = session.run()
  return {
    ended,
    async stop() {
      session.stop()
      await ended.catch(() => undefined)
    },
  }
}

class HostSession {
  readonly #deps: HostSessionDeps
  readonly #options: SessionOptions
  readonly #servers: ServerRotation
  readonly #stopped = new AbortController()
  readonly #agentRunId: string
  #conversation: Conversation | undefined
  #reports = 0
  /** Tries since the last session that was worth its name. */
  #attempts = 0

  constructor(deps: HostSessionDeps, options: SessionOptions) {
    this.#deps = deps
    this.#options = options
    this.#servers = new ServerRotation(options.servers)
    this.#agentRunId = randomUuid(deps.random)
  }

  stop(): void {
    this.#stopped.abort(new Error('The agent stops.'))
    this.#conversation?.leave('The agent stops.')
  }

  async run(): Promise<SessionEnd> {
    await ensureIdentity(this.#deps.journal, this.#deps.random)
    while (!this.#isStopped()) {
      const end = await this.#converse(this.#servers.next())
      if (this.#isStopped()) break
      if (end.kind === 'refused' && end.refusal.code === 'DEREGISTERED') {
        this.#deps.log.error('This container instance was deregistered. Its containers are left as they are.')
        return { kind: 'deregistered', message: end.refusal.message }
      }
      await this.#pauseAfter(end)
    }
    return { kind: 'stopped' }
  }

  async #converse(address: string): Promise<ConversationEnd> {
    let hello: Hello
    try {
      hello = await this.#hello()
    } catch (error) {
      this.#deps.log.warn('The host cannot be described.', { error })
      return { kind: 'closed', reason: 'The host cannot be described.', lastedMs: 0 }
    }
    if (this.#isStopped()) return { kind: 'closed', reason: 'The agent stops.', lastedMs: 0 }
    const nextSequence = () => ++this.#reports
    const holdings = (taskArns: readonly string[]) => {
      const wanted = new Set(taskArns)
      return this.#heldTasks().filter(({ taskArn }) => wanted.has(taskArn))
    }
    const onWelcome = (welcome: Welcome) => this.#welcomed(welcome, address)
    this.#conversation = new Conversation({ ...this.#deps, nextSequence, onWelcome, holdings }, address, hello)
    const end = await this.#conversation.end()
    this.#conversation = undefined
    this.#deps.log.info('The session ended.', { address, ...end })
    return end
  }

  async #welcomed(welcome: Welcome, address: string): Promise<void> {
    const { log, journal } = this.#deps
    const { containerInstanceArn, epoch, clusterArn } = welcome
    this.#servers.joined(address)
    log.info('Joined the control plane.', { address, containerInstanceArn, clusterArn, epoch })
    const identity = this.#identity()
    if (identity.containerInstanceArn !== containerInstanceArn)
      await journal.append({ kind: 'identity', identity: { ...identity, containerInstanceArn } })
  }

  /** Waits with full jitter, but for a server that named the leader. */
  async #pauseAfter(end: ConversationEnd): Promise<void> {
    const { clock, random, log } = this.#deps
    if (end.kind === 'refused' && end.refusal.code === 'NOT_LEADER' && this.#servers.hint(end.refusal.leaderAddress))
      return
    if (end.kind === 'closed' && end.lastedMs >= sessionTimes.settledAfterMs) this.#attempts = 0
    const delayMs = backoffDelay(this.#attempts, sessionTimes.backoff, random)
    const isFinal = end.kind === 'refused' && !passingRefusals.has(end.refusal.code)
    if (isFinal) log.warn('The control plane does not take this host in.', { reason: end.refusal.message })
    this.#attempts += isFinal ? refusalWeight : 1
    this.#servers.paused()
    await sleep(clock, delayMs, this.#stopped.signal).catch(() => undefined)
  }

  async #hello(): Promise<Hello> {
    const { engine } = this.#deps
    const { dockerVersion, resources, attributes, address } = await this.#deps.describe()
    const { cluster, token, offersFargate, agentVersion, agentHash } = this.#options
    return {
      protocolVersion: this.#options.protocolVersion ?? protocolVersion,
      agentVersion,
      agentHash,
      dockerVersion,
      cluster,
      ...this.#identity(),
      resources,
      attributes: [...attributes],
      offersFargate,
      held: engine.held(),
      token,
      agentRunId: this.#agentRunId,
      engineHealthy: engine.health().healthy,
      address,
      heldTaskArns: this.#heldTasks().map(({ taskArn }) => taskArn),
    }
  }

  #heldTasks(): TaskAssignment[] {
    const tasks = [...this.#deps.journal.state.tasks.values()]
    return tasks.filter(isToRun).map(({ assignment }) => assignment)
  }

  #identity(): HostIdentity {
    const { identity } = this.#deps.journal.state
    if (!identity) throw new Error('The host has no identity yet.')
    return identity
  }

  #isStopped(): boolean {
    return this.#stopped.signal.aborted
  }
}

const isToRun = ({ assignment, result, released }: JournaledTask): boolean =>
  assignment.shouldRun && !released && result?.status !== 'STOPPED'

/** Refusals that mend themselves. */
const passingRefusals: ReadonlySet<string> = new Set(['NOT_LEADER', 'BUSY'])
/** A refusal that only a person can mend counts as many tries: the pauses are long from the first. */
const refusalWeight = 5
