import type { CancelTimer } from '@berth/shared/clock.ts'
import type { Cell } from '../cell/cell.ts'
import type { TaskRecord } from '../cell/records.ts'
import type { Change } from '../cell/tables.ts'
import { arnOfTask } from '../cell/task-arns.ts'
import type { ControlPlaneDeps } from '../control-plane-deps.ts'
import { AgentConnection, type AgentLink } from './agent-connection.ts'
import type { AgentPeer } from './agent-peer.ts'
import { heartbeatPace } from './heartbeat-pace.ts'
import { assignmentOf } from './host-assignments.ts'
import { JoinGate } from './join-gate.ts'
import type { QuestionDeps } from './host-questions.ts'
import type { SpokenProtocol } from './registration.ts'

/** How often silence is looked for, in ms. */
const sweepIntervalMs = 1000

export interface DispatcherDeps extends ControlPlaneDeps, Pick<QuestionDeps, 'resources'>, SpokenProtocol {
  readonly authenticate: (token: string, cluster: string) => boolean
  /** How often hosts are to be heard of as long as they are few. */
  readonly heartbeatIntervalMs: number
  /** A host has followed an epoch that this cell's store has not: the cell must go above it. */
  readonly raiseAbove: (epoch: number) => void
  /** Runs a function soon, so that what happens together is sent together. */
  readonly defer: (run: () => void) => void
}

/**
 * Brings durable decisions to the hosts and their words into the cell, and notices who went silent. Lives as long as one
 * leadership of the cell.
 */
export class Dispatcher {
  readonly #deps: DispatcherDeps
  readonly #cell: Cell
  readonly #connections = new Map<string, AgentConnection>()
  readonly #open = new Set<AgentConnection>()
  /** Hosts that the tables show as connected and that have no session, with when that began, on the monotonic clock. */
  readonly #silentSince = new Map<string, number>()
  readonly #dirty = new Set<AgentConnection>()
  #stopWatching: () => void = () => {}
  #cancelSweep: CancelTimer = () => {}
  readonly #gate: JoinGate

  constructor(deps: DispatcherDeps, cell: Cell) {
    this.#deps = { ...deps, cell: () => cell }
    this.#cell = cell
    this.#gate = new JoinGate(deps.clock)
  }

  /** Hosts with a session now. */
  get connectedHosts(): number {
    return this.#connections.size
  }

  start(): void {
    const now = this.#deps.clock.monotonic()
    for (const host of this.#cell.tables.hosts.values()) if (host.agentConnected) this.#silentSince.set(host.id, now)
    this.#stopWatching = this.#cell.onDurable((changes) => this.#route(changes))
    this.#scheduleSweep()
  }

  /** Ends every session; the agents look for the next leader by themselves. */
  stop(reason: string): void {
    this.#stopWatching()
    this.#cancelSweep()
    for (const connection of this.#open) connection.close(reason)
  }

  /** A stream was opened by somebody who claims to be an agent. */
  open(link: AgentLink, peer: AgentPeer): AgentConnection {
    const { heartbeatIntervalMs, settings } = this.#deps
    const heartbeatTimes = { heartbeatIntervalMs, hostDisconnectedAfterMs: settings.hostDisconnectedAfterMs }
    const connection = new AgentConnection(link, peer, {
      ...this.#deps,
      heartbeatIntervalMs: () => heartbeatPace(this.#connections.size, heartbeatTimes),
      mayJoin: () => this.#gate.admit(),
      joined: (joined) => this.#joined(joined),
      left: (left, onPurpose) => this.#left(left, onPurpose),
    })
    this.#open.add(connection)
    return connection
  }

  /** The stream of a connection is gone. */
  closed(connection: AgentConnection): void {
    connection.close('the stream ended')
    this.#open.delete(connection)
  }

  #joined(connection: AgentConnection): void {
    const older = this.#connections.get(connection.hostId)
    this.#connections.set(connection.hostId, connection)
    this.#silentSince.delete(connection.hostId)
    older?.close('the host opened a newer session')
  }

  #left(connection: AgentConnection, onPurpose: boolean): void {
    this.#open.delete(connection)
    this.#dirty.delete(connection)
    if (this.#connections.get(connection.hostId) !== connection) return
    this.#connections.delete(connection.hostId)
    this.#silentSince.set(connection.hostId, onPurpose ? Number.NEGATIVE_INFINITY : connection.heardAt)
    if (onPurpose) void this.#markDisconnected([connection.hostId])
  }

  #route(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.table === 'tasks') this.#routeTask(change.before, change.after)
      else if (change.table === 'hosts' && change.after?.status === 'INACTIVE' && change.before?.status !== 'INACTIVE')
        this.#connections.get(change.key)?.close('the container instance was deregistered')
    }
  }

  #routeTask(before: TaskRecord | undefined, after: TaskRecord | undefined): void {
    const hostId = after?.hostId ?? before?.hostId
    const connection = hostId === undefined ? undefined : this.#connections.get(hostId)
    if (!connection) return
    const word = wordToHost(before, after)
    if (word === 'none') return
    const task = after ?? before
    if (word === 'remove' && task !== undefined) connection.chain.remove(arnOfTask(this.#deps.scope, task))
    else if (after) {
      const assignment = assignmentOf(this.#cell.tables, after, this.#deps.scope)
      if (assignment) connection.chain.put(assignment)
    }
    if (this.#dirty.size === 0) this.#deps.defer(() => this.#flush())
    this.#dirty.add(connection)
  }

  #flush(): void {
    const dirty = [...this.#dirty]
    this.#dirty.clear()
    for (const connection of dirty) connection.chain.flush()
  }

  #scheduleSweep(): void {
    this.#cancelSweep = this.#deps.clock.after(sweepIntervalMs, () => {
      this.#sweep()
      this.#scheduleSweep()
    })
  }

  #sweep(): void {
    const now = this.#deps.clock.monotonic()
    const limit = this.#deps.settings.hostDisconnectedAfterMs
    for (const connection of this.#connections.values())
      if (now - connection.heardAt >= limit) connection.close(`not heard of for ${limit} ms`)
    const silent: string[] = []
    for (const [hostId, since] of this.#silentSince) if (now - since >= limit) silent.push(hostId)
    if (silent.length > 0) void this.#markDisconnected(silent)
  }

  async #markDisconnected(hostIds: readonly string[]): Promise<void> {
    try {
      await this.#cell.transact((tx) => {
        for (const hostId of hostIds) {
          const host = tx.tables.hosts.get(hostId)
          if (!host?.agentConnected || this.#connections.has(hostId)) continue
          tx.put('hosts', hostId, {
            ...host,
            agentConnected: false,
            disconnectedAt: this.#deps.clock.now(),
            version: host.version + 1,
          })
        }
      })
      for (const hostId of hostIds) if (!this.#connections.has(hostId)) this.#silentSince.delete(hostId)
    } catch (error) {
      this.#deps.log.warn('hosts could not be marked as disconnected yet', { error })
    }
  }
}

/** Whether a change of a task is news to its host. */
function wordToHost(before: TaskRecord | undefined, after: TaskRecord | undefined): 'none' | 'put' | 'remove' {
  if (!after || after.lastStatus === 'STOPPED') return before && before.lastStatus !== 'STOPPED' ? 'remove' : 'none'
  const isNew = before?.hostId === undefined
  return isNew || before.desiredStatus !== after.desiredStatus ? 'put' : 'none'
}
