import type { CancelTimer, Clock } from '@berth/shared/clock.ts'
import type {
  AgentMessage,
  Assignments,
  ControlMessage,
  Hello,
  Refused,
  Revision,
  TaskAssignment,
  Welcome,
} from '@berth/shared/gen/berth/agent/v1/agent.ts'
import type { Log } from '@berth/shared/log.ts'
import type { TaskEngine } from '../engine/task-engine.ts'
import { judgeAssignments } from './assignment-link.ts'
import { Heart } from './heartbeat.ts'
import type { HostQuestions } from './host-questions.ts'
import { sessionTimes, tasksPerHoldings } from './session-options.ts'
import type { SessionChannel, SessionTransport } from './session-transport.ts'
import { StatusReporter } from './status-reporter.ts'

/** How a conversation ended. */
export type ConversationEnd =
  | { readonly kind: 'closed'; readonly reason: string; readonly lastedMs: number }
  | { readonly kind: 'refused'; readonly refusal: Refused }

export interface ConversationDeps {
  readonly transport: SessionTransport
  readonly engine: TaskEngine
  readonly clock: Clock
  readonly log: Log
  readonly questions: HostQuestions
  readonly nextSequence: () => number
  /** The assignments that this host holds of these tasks. */
  readonly holdings: (taskArns: readonly string[]) => readonly TaskAssignment[]
  /** Keeps what the host was told about itself. Resolves when it is durable. */
  readonly onWelcome: (welcome: Welcome) => Promise<void>
}

type AgentWord = NonNullable<AgentMessage['message']>

/**
 * One stream to one server, from Hello to its end:
 *
 *     greeting --Welcome--> joined --(closed, silence, a journal that fails)--> over
 *         \--Refused, no answer-------------------------------------------------/
 */
export class Conversation {
  readonly #deps: ConversationDeps
  readonly #channel: SessionChannel
  readonly #reporter: StatusReporter
  readonly #over = Promise.withResolvers<ConversationEnd>()
  #state: 'greeting' | 'joined' | 'over' = 'greeting'
  #joinedAt: number | undefined
  #heart: Heart | undefined
  #cancelJoin: CancelTimer
  /** What came is handled one after the other, and each set is durable before the next is looked at. */
  #handling: Promise<void> = Promise.resolve()
  #lastApplied: Revision | undefined
  #rejectedAt = Number.NEGATIVE_INFINITY

  constructor(deps: ConversationDeps, address: string, hello: Hello) {
    this.#deps = deps
    const { clock, engine } = deps
    this.#reporter = new StatusReporter({
      ...deps,
      send: (report) => this.#send({ $case: 'statusReport', value: report }),
    })
    this.#cancelJoin = clock.after(sessionTimes.joinTimeoutMs, () => this.#close('The server did not answer Hello.'))
    engine.onReport(() => {
      if (this.#state === 'joined') this.#reporter.reportSoon()
    })
    deps.questions.listener = (question) => {
      if (this.#state === 'joined') this.#send({ $case: 'question', value: question })
    }
    this.#channel = deps.transport.connect(
      address,
      (message) => this.#receive(message),
      (reason) => this.#end(reason),
    )
    this.#send({ $case: 'hello', value: hello })
  }

  /** Resolves when the conversation is over and nothing of it is still being handled. */
  async end(): Promise<ConversationEnd> {
    const end = await this.#over.promise
    await this.#handling
    return end
  }

  /** Says goodbye; the containers stay. */
  leave(reason: string): void {
    if (this.#state === 'joined') this.#send({ $case: 'goodbye', value: { reason } })
    this.#close(reason)
  }

  #receive({ message }: ControlMessage): void {
    if (this.#state === 'over' || !message) return
    switch (message.$case) {
      case 'welcome':
        return this.#welcome(message.value)
      case 'refused':
        return this.#refused(message.value)
      case 'assignments':
        return this.#handle(() => this.#take(message.value))
      case 'statusAck':
        return this.#reporter.acknowledged(message.value.sequence)
      case 'answer':
        return this.#deps.questions.answer(message.value)
      default:
        return this.#heart?.answered(message.value.intervalMs)
    }
  }

  #welcome(welcome: Welcome): void {
    const { engine, clock } = this.#deps
    if (this.#state !== 'greeting') return
    if (welcome.epoch < engine.held().epoch)
      return this.#close(`The server is of epoch ${welcome.epoch}, and this host has followed a newer one.`)
    this.#cancelJoin()
    this.#state = 'joined'
    this.#joinedAt = clock.monotonic()
    this.#handle(() => this.#deps.onWelcome(welcome))
    const send = (value: Extract<AgentWord, { $case: 'heartbeat' }>['value']) =>
      this.#send({ $case: 'heartbeat', value })
    const onSilence = () => this.#close('The server does not answer heartbeats.')
    this.#heart = new Heart({ clock, engine, send, onSilence }, welcome.heartbeatIntervalMs)
    this.#heart.start()
    this.#handBack(welcome.handBackTaskArns)
    for (const question of this.#deps.questions.open()) this.#send({ $case: 'question', value: question })
    engine.reportAll()
    return this.#reporter.reportSoon()
  }

  /** Before the reports on these tasks, which would mean nothing to a cell that does not know them. */
  #handBack(taskArns: readonly string[]): void {
    for (let at = 0; at < taskArns.length; at += tasksPerHoldings) {
      const tasks = [...this.#deps.holdings(taskArns.slice(at, at + tasksPerHoldings))]
      this.#send({ $case: 'holdings', value: { tasks, last: at + tasksPerHoldings >= taskArns.length } })
    }
  }

  #refused(refusal: Refused): void {
    this.#stop()
    this.#channel.close()
    this.#over.resolve({ kind: 'refused', refusal })
  }

  async #take(set: Assignments): Promise<void> {
    const { engine, clock } = this.#deps
    const verdict = judgeAssignments(set, engine.held(), this.#lastApplied)
    if (verdict.kind === 'reject') {
      // The sets that follow a broken link are broken too, and one full set mends them all.
      if (clock.monotonic() - this.#rejectedAt < sessionTimes.rejectAgainMs) return
      this.#rejectedAt = clock.monotonic()
      const { reason } = verdict
      this.#deps.log.warn('A set of assignments does not fit; asking for a full one.', { reason })
      this.#send({ $case: 'assignmentReject', value: { revision: set.revision, held: engine.held(), reason } })
      return
    }
    const { revision } = verdict
    if (verdict.kind === 'apply') {
      await engine.apply({ revision, full: set.full, put: set.put, removeTaskArns: set.removeTaskArns })
      this.#lastApplied = revision
      if (set.full) this.#rejectedAt = Number.NEGATIVE_INFINITY
    }
    this.#send({ $case: 'assignmentAck', value: { revision } })
  }

  #handle(work: () => Promise<void>): void {
    this.#handling = this.#handleAfter(this.#handling, work)
  }

  async #handleAfter(before: Promise<void>, work: () => Promise<void>): Promise<void> {
    await before
    if (this.#state === 'over') return
    try {
      await work()
    } catch (error) {
      this.#deps.log.error('What the server said could not be made durable.', { error })
      this.#close('The journal cannot be written.')
    }
  }

  #send(message: AgentWord): void {
    if (this.#state !== 'over') this.#channel.send({ message })
  }

  #close(reason: string): void {
    if (this.#state === 'over') return
    this.#channel.close()
    this.#end(reason)
  }

  #end(reason: string): void {
    if (this.#state === 'over') return
    const lastedMs = this.#joinedAt === undefined ? 0 : this.#deps.clock.monotonic() - this.#joinedAt
    this.#stop()
    this.#over.resolve({ kind: 'closed', reason, lastedMs })
  }

  #stop(): void {
    this.#state = 'over'
    this.#cancelJoin()
    this.#heart?.stop()
    this.#reporter.stop()
  }
}
