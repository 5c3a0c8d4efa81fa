import {
  type AgentMessage,
  type ControlMessage,
  type Heartbeat,
  type Hello,
  type Holdings,
  type HostQuestion,
  type StatusReport,
} from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { clusterArn } from '@berth/shared/arn.ts'
import { StoreUnavailableError } from '../store/store.ts'
import { CellClosedError, type Transaction } from '../cell/cell.ts'
import { noteStoreReturn } from '../cell/store-return.ts'
import type { ControlPlaneDeps } from '../control-plane-deps.ts'
import { AssignmentChain } from './assignment-chain.ts'
import type { AgentPeer } from './agent-peer.ts'
import type { HostSession, OutgoingAssignments } from './host-session.ts'
import { assignmentsOfHost } from './host-assignments.ts'
import { answerQuestion, type QuestionDeps } from './host-questions.ts'
import { type RefusalCode, registerHost } from './registration.ts'
import { applyStatusReport } from './status-intake.ts'
import { adoptTasks, tasksUnknown } from './task-adoption.ts'

/** The stream to one agent, whatever carries it. */
export interface AgentLink {
  send(message: NonNullable<ControlMessage['message']>): void
  close(): void
}

export interface AgentConnectionDeps extends ControlPlaneDeps, Pick<QuestionDeps, 'resources'> {
  /** Whether a token may join this cluster; asked where connections say nothing of who is at their other end. */
  readonly authenticate: (token: string, cluster: string) => boolean
  /** How often this host is to be heard of, as things are now. */
  readonly heartbeatIntervalMs: () => number
  /** Whether one more host may join now. */
  readonly mayJoin: () => boolean
  /** A host has followed an epoch that this cell's store has not: the cell must go above it. */
  readonly raiseAbove: (epoch: number) => void
  /** The host is in: from now on its deltas go to this connection, and an older one of the same host is closed. */
  readonly joined: (connection: AgentConnection) => void
  readonly left: (connection: AgentConnection, onPurpose: boolean) => void
}

/** One agent's session on the control plane's side, from Hello to the end of its stream. */
export class AgentConnection implements HostSession {
  readonly #deps: AgentConnectionDeps
  readonly #link: AgentLink
  readonly #peer: AgentPeer
  readonly chain: AssignmentChain
  #hostId = ''
  #state: 'new' | 'joining' | 'joined' | 'ended' = 'new'
  #heardAt: number
  #engineHealthy = true
  #newestReport = 0
  readonly #ended = new AbortController()

  constructor(link: AgentLink, peer: AgentPeer, deps: AgentConnectionDeps) {
    this.#deps = deps
    this.#link = link
    this.#peer = peer
    this.#heardAt = deps.clock.monotonic()
    this.chain = new AssignmentChain(this, deps.cell().fence.epoch)
  }

  get hostId(): string {
    return this.#hostId
  }

  /** When the host was last heard of, on the monotonic clock. */
  get heardAt(): number {
    return this.#heardAt
  }

  assign(set: OutgoingAssignments): void {
    this.#send({
      $case: 'assignments',
      value: {
        revision: set.revision,
        previous: set.previous,
        full: set.previous === undefined,
        put: [...set.put],
        removeTaskArns: [...set.removeTaskArns],
      },
    })
  }

  /** Takes one message from the agent. What goes wrong with it ends this session, never the process. */
  async receive(envelope: AgentMessage): Promise<void> {
    if (this.#state === 'ended') return
    this.#heardAt = this.#deps.clock.monotonic()
    const { message } = envelope
    try {
      if (message?.$case === 'hello') await this.#join(message.value)
      else if (this.#state !== 'joined') this.#refuse('INVALID', 'The first message of a session must be Hello.')
      else if (message !== undefined) await this.#handle(message)
    } catch (error) {
      if (this.#ended.signal.aborted) return
      if (error instanceof StoreUnavailableError || error instanceof CellClosedError)
        this.#deps.log.info('session ends', { hostId: this.#hostId, reason: error.message })
      else this.#deps.log.error('a message of an agent failed', { hostId: this.#hostId, error })
      this.close('the message could not be handled')
    }
  }

  /** The stream ended, or must end. */
  close(reason: string): void {
    this.#end(reason, false)
  }

  async #join(hello: Hello): Promise<void> {
    if (this.#state !== 'new') return this.#refuse('INVALID', 'Hello was said before.')
    this.#state = 'joining'
    const objection = this.#objectionTo(hello)
    if (objection !== undefined) {
      this.#deps.log.warn('an agent is not let in', { hostId: hello.hostId, reason: objection })
      return this.#refuse('UNAUTHENTICATED', objection)
    }
    if (!this.#deps.mayJoin()) return this.#refuse('BUSY', 'Many hosts join at the moment. Try again soon.')
    const cell = this.#deps.cell()
    const heldEpoch = hello.held?.epoch ?? 0
    if (heldEpoch > cell.fence.epoch) return this.#raiseAbove(heldEpoch)
    const { registration, lost } = await cell.transact((tx) => this.#register(tx, hello))
    if (this.#hasEnded()) return
    if (registration.kind === 'refused') {
      this.#deps.log.warn('an agent is not let in', { hostId: hello.hostId, reason: registration.message })
      return this.#refuse(registration.code, registration.message)
    }
    const { host } = registration
    this.#hostId = host.id
    this.#engineHealthy = host.engineHealthy
    this.#state = 'joined'
    this.#deps.joined(this)
    this.#send({
      $case: 'welcome',
      value: {
        containerInstanceArn: host.arn,
        epoch: cell.fence.epoch,
        heartbeatIntervalMs: this.#deps.heartbeatIntervalMs(),
        clusterArn: clusterArn(this.#deps.scope, host.cluster),
        handBackTaskArns: lost,
      },
    })
    if (lost.length === 0) await this.#sendFull()
  }

  /** What the host holds of a store that went back must be known before anything is decided without it. */
  #register(tx: Transaction, hello: Hello) {
    const registration = registerHost(tx, hello, this.#deps)
    const mayHaveLost = registration.kind === 'registered' && !registration.wasGivenUp
    const lost = mayHaveLost ? tasksUnknown(tx, hello.heldTaskArns) : []
    if (lost.length > 0)
      this.#noteReturn(tx, `host ${hello.hostId} runs ${lost.length} tasks that the cell has no record of`)
    return { registration, lost }
  }

  async #raiseAbove(epoch: number): Promise<void> {
    const { cell, raiseAbove } = this.#deps
    await cell().transact((tx) =>
      this.#noteReturn(tx, `a host has followed epoch ${epoch}, which the cell has no record of`),
    )
    this.#refuse('BUSY', 'The cell takes a new epoch, since its store went back. Try again soon.')
    raiseAbove(epoch)
  }

  #noteReturn(tx: Transaction, reason: string): void {
    const { clock, settings, log } = this.#deps
    log.error('the store went back: nothing is stopped or replaced for a while, and hosts say what they run', {
      reason,
    })
    noteStoreReturn(tx, clock.now(), settings.storeReturnQuarantineMs, reason)
  }

  /** Why who says Hello is not who he says he is. A host is what its certificate says. */
  #objectionTo({ token, hostId, cluster }: Hello): string | undefined {
    switch (this.#peer.kind) {
      case 'anybody':
        return this.#deps.authenticate(token, cluster) ? undefined : 'The token is not valid for this cluster.'
      case 'stranger':
        return this.#peer.reason
      case 'host': {
        const { name } = this.#peer
        if (name.hostId !== hostId) return `The certificate is that of host ${name.hostId}, not of ${hostId}.`
        if (name.cluster !== cluster)
          return `The certificate is for a host of cluster ${name.cluster}, not of ${cluster}.`
      }
    }
    return undefined
  }

  async #handle(message: NonNullable<AgentMessage['message']>): Promise<void> {
    switch (message.$case) {
      case 'assignmentAck':
        if (message.value.revision) this.chain.acknowledge(message.value.revision)
        return
      case 'assignmentReject':
        this.#deps.log.warn('host asks for a full set', { hostId: this.#hostId, reason: message.value.reason })
        return this.#sendFull()
      case 'heartbeat':
        return this.#heartbeat(message.value)
      case 'statusReport':
        return this.#report(message.value)
      case 'question':
        return this.#answer(message.value)
      case 'holdings':
        return this.#takeBack(message.value)
      case 'goodbye':
        return this.#end(message.value.reason, true)
      case 'hello':
    }
  }

  async #sendFull(): Promise<void> {
    this.chain.hold()
    const tasks = await this.#deps.cell().read((tables) => assignmentsOfHost(tables, this.#hostId, this.#deps.scope))
    if (!this.#hasEnded()) this.chain.sendFull(tasks)
  }

  async #heartbeat({ sequence, engineHealthy, engineMessage }: Heartbeat): Promise<void> {
    this.#send({ $case: 'heartbeatAck', value: { sequence, intervalMs: this.#deps.heartbeatIntervalMs() } })
    if (engineHealthy === this.#engineHealthy) return
    this.#engineHealthy = engineHealthy
    this.#deps.log.warn(engineHealthy ? 'host has its engine back' : 'host is impaired', {
      hostId: this.#hostId,
      reason: engineMessage,
    })
    await this.#deps.cell().transact((tx) => {
      const host = tx.tables.hosts.get(this.#hostId)
      if (host) tx.put('hosts', host.id, { ...host, engineHealthy, version: host.version + 1 })
    })
  }

  /** A report that comes again is old by now: what has no order of its own, such as health, must not go back to it. */
  async #report({ sequence, tasks }: StatusReport): Promise<void> {
    const cell = this.#deps.cell()
    if (sequence <= this.#newestReport) await cell.read(() => {})
    else {
      this.#newestReport = sequence
      await cell.transact((tx) => applyStatusReport(tx, this.#hostId, tasks, this.#deps))
    }
    this.#send({ $case: 'statusAck', value: { sequence } })
  }

  async #takeBack({ tasks, last }: Holdings): Promise<void> {
    await this.#deps.cell().transact((tx) => adoptTasks(tx, this.#hostId, tasks, this.#deps))
    if (last && !this.#hasEnded()) await this.#sendFull()
  }

  async #answer(question: HostQuestion): Promise<void> {
    const answer = await answerQuestion(this.#hostId, question, this.#deps, this.#ended.signal)
    this.#send({ $case: 'answer', value: { id: question.id, answer } })
  }

  #refuse(code: RefusalCode, message: string): void {
    this.#send({ $case: 'refused', value: { code, message, leaderAddress: '' } })
    this.close(`refused: ${message}`)
  }

  #send(message: NonNullable<ControlMessage['message']>): void {
    if (!this.#hasEnded()) this.#link.send(message)
  }

  /** A method, since other things happen while a method of this class waits. */
  #hasEnded(): boolean {
    return this.#state === 'ended'
  }

  #end(reason: string, onPurpose: boolean): void {
    if (this.#state === 'ended') return
    const wasJoined = this.#state === 'joined'
    this.#state = 'ended'
    this.#ended.abort(new Error('The session is over.'))
    this.#deps.log.debug('session ended', { hostId: this.#hostId, reason })
    this.#link.close()
    if (wasJoined) this.#deps.left(this, onPurpose)
  }
}
