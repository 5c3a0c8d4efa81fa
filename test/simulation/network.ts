import { AgentMessage, ControlMessage } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { type Random, randomBelow, randomFloat } from '@berth/shared/random.ts'
import type { VirtualClock } from '@berth/shared/virtual-clock.ts'
import type { SessionTransport } from '@berth/agent/session/session-transport.ts'
import type { SimulatedProcess } from './simulated-process.ts'
import type { Tally } from './tally.ts'

/** What a control plane makes of a stream that an agent has opened. */
export interface ServerEnd {
  receive(message: AgentMessage): void
  closed(): void
}

/** A control plane as the network reaches it. */
export interface Server {
  readonly process: SimulatedProcess
  accept(link: { send(message: NonNullable<ControlMessage['message']>): void; close(): void }): ServerEnd
}

/** How the way between one host and everybody else is. */
export interface HostWay {
  /** Nothing passes; what is sent waits for the end of it, as TCP has it. */
  cut: boolean
  /** Longest time that a message takes, in ms. */
  slowestMs: number
  /** How likely a message arrives twice: from 0 to 1. */
  doubling: number
  /** How likely a message is lost, and its stream, some seconds later, with it: from 0 to 1. */
  loss: number
}

/** Messages that are nothing but a step of the handshake; a second one of these is a fault of its own kind, and no network makes it. */
const handshake = new Set(['hello', 'welcome', 'refused', 'goodbye'])

/** How late the second copy of a message may come, after newer ones too, in ms. */
const latestCopyMs = 8000

/** How long it may take until one end learns that the stream is broken, in ms. */
const slowestNewsMs = 20_000

/**
 * The network between agents and control planes: streams whose messages take time, arrive a second time later, or are lost, and then the
 * stream with them, and whose two ends learn of a break at different times, so that late words of an old stream meet a new one.
 */
export class Network {
  readonly #clock: VirtualClock
  readonly #random: Random
  readonly #tally: Tally
  readonly #servers = new Map<string, Server>()
  readonly #ways = new Map<string, HostWay>()
  readonly #streams = new Set<Stream>()

  constructor(clock: VirtualClock, random: Random, tally: Tally) {
    this.#clock = clock
    this.#random = random
    this.#tally = tally
  }

  listen(address: string, server: Server): void {
    this.#servers.set(address, server)
  }

  way(host: string): HostWay {
    let way = this.#ways.get(host)
    if (!way) this.#ways.set(host, (way = { cut: false, slowestMs: 3, doubling: 0, loss: 0 }))
    return way
  }

  /** The end of a cut: what waited passes, late and in order. */
  mend(host: string): void {
    this.way(host).cut = false
    for (const stream of this.#streams) if (stream.host === host) stream.flow()
  }

  /** Breaks the streams of a host: what was on its way is lost from some point on. */
  breakStreams(host: string): void {
    for (const stream of this.#streams) if (stream.host === host) stream.break(slowestNewsMs)
  }

  /** Breaks the streams of a process that died. Its peers are told by its machine, or not for a while. */
  processDied(process: SimulatedProcess): void {
    for (const stream of this.#streams) if (stream.involves(process)) stream.break(slowestNewsMs)
  }

  /** The network as the agent of `host` has it. */
  transportOf(host: string, agent: SimulatedProcess): SessionTransport {
    return {
      connect: (address, onMessage, onClose) => {
        const server = this.#servers.get(address)
        if (!server || server.process.state === 'dead') {
          this.#clock.after(1, () => agent.gate(() => onClose('connection refused')))
          return { send() {}, close() {} }
        }
        const lane = { clock: this.#clock, random: this.#random, tally: this.#tally, way: this.way(host) }
        const stream = new Stream(lane, { host, agent, server, onMessage, onClose })
        this.#streams.add(stream)
        stream.onOver = () => this.#streams.delete(stream)
        return {
          send: (message) => stream.up.send(AgentMessage.encode(message).finish(), message.message?.$case ?? ''),
          close: () => stream.closedBy('agent'),
        }
      },
    }
  }
}

interface Parcel {
  readonly at: number
  readonly deliver: () => void
}

interface LaneDeps {
  readonly clock: VirtualClock
  readonly random: Random
  readonly tally: Tally
  readonly way: HostWay
}

/** One direction of a stream: parcels arrive in the order in which they were sent. */
class Lane {
  readonly #parcels: Parcel[] = []
  readonly #deps: LaneDeps
  readonly #deliver: (bytes: Uint8Array) => void
  #last = 0
  onLoss: () => void = () => {}
  /** Parcels sent after the break go nowhere. */
  #broken = false

  constructor(deps: LaneDeps, deliver: (bytes: Uint8Array) => void) {
    this.#deps = deps
    this.#deliver = deliver
  }

  send(bytes: Uint8Array, kind: string): void {
    const { clock, random, way, tally } = this.#deps
    const twice = !handshake.has(kind) && randomFloat(random) < way.doubling
    if (twice) tally.add('a message came twice')
    if (!handshake.has(kind) && randomFloat(random) < way.loss) {
      tally.add('a stream lost messages')
      this.onLoss()
      return
    }
    if (kind === 'assignmentReject') tally.add('a host asked for a full set')
    this.post(() => this.#deliver(bytes))
    if (twice) clock.after(randomBelow(random, latestCopyMs), () => this.#deliverCopy(bytes))
  }

  #deliverCopy(bytes: Uint8Array): void {
    if (!this.#broken && !this.#deps.way.cut) this.#deliver(bytes)
  }

  post(deliver: () => void): void {
    if (this.#broken) return
    const { clock, random, way } = this.#deps
    const at = Math.max(this.#last, clock.monotonic() + 1 + randomBelow(random, way.slowestMs))
    this.#last = at
    this.#parcels.push({ at, deliver })
    clock.after(at - clock.monotonic(), () => this.flow())
  }

  /** Delivers what is due. */
  flow(): void {
    const { clock, way } = this.#deps
    while (!way.cut && this.#parcels[0] && this.#parcels[0].at <= clock.monotonic()) this.#parcels.shift()?.deliver()
  }

  /** Loses what is on its way, from some point on. */
  break(): void {
    this.#broken = true
    const arrive = randomBelow(this.#deps.random, this.#parcels.length + 1)
    if (arrive < this.#parcels.length) this.#deps.tally.add('a stream lost messages')
    this.#parcels.length = arrive
  }
}

interface StreamEnds {
  readonly host: string
  readonly agent: SimulatedProcess
  readonly server: Server
  readonly onMessage: (message: ControlMessage) => void
  readonly onClose: (reason: string) => void
}

class Stream {
  readonly host: string
  readonly up: Lane
  readonly down: Lane
  readonly #lane: LaneDeps
  readonly #ends: StreamEnds
  #serverEnd: ServerEnd | undefined
  #agentOpen = true
  #serverOpen = true
  #broken = false
  onOver: () => void = () => {}

  constructor(lane: LaneDeps, ends: StreamEnds) {
    const { host, agent, server, onMessage } = ends
    this.host = host
    this.#lane = lane
    this.#ends = ends
    this.up = new Lane(lane, (bytes) =>
      server.process.gate(() => this.#serverOpen && this.#serverEnd?.receive(AgentMessage.decode(bytes))),
    )
    this.down = new Lane(lane, (bytes) => agent.gate(() => this.#agentOpen && onMessage(ControlMessage.decode(bytes))))
    this.up.onLoss = this.down.onLoss = () => {
      lane.clock.after(randomBelow(lane.random, slowestNewsMs), () => this.break(slowestNewsMs))
    }
    this.up.post(() => server.process.gate(() => this.#accept()))
  }

  involves(process: SimulatedProcess): boolean {
    return this.#ends.agent === process || this.#ends.server.process === process
  }

  flow(): void {
    this.up.flow()
    this.down.flow()
  }

  /** One end closes it; the other learns of it when all before has arrived. */
  closedBy(end: 'agent' | 'server'): void {
    if (end === 'agent') {
      if (!this.#agentOpen) return
      this.#agentOpen = false
      this.up.post(() => this.#tellServer())
    } else {
      if (!this.#serverOpen) return
      this.#serverOpen = false
      this.down.post(() => this.#tellAgent('the server closed the stream'))
    }
    this.#noticeEnd()
  }

  break(newsMs: number): void {
    if (this.#broken) return
    this.#broken = true
    this.up.break()
    this.down.break()
    const { clock, random } = this.#lane
    clock.after(randomBelow(random, newsMs), () => this.#tellServer())
    clock.after(randomBelow(random, newsMs), () => this.#tellAgent('the stream broke'))
  }

  #accept(): void {
    if (!this.#serverOpen) return
    this.#serverEnd = this.#ends.server.accept({
      send: (message) => this.#serverOpen && this.down.send(ControlMessage.encode({ message }).finish(), message.$case),
      close: () => this.closedBy('server'),
    })
  }

  #tellServer(): void {
    this.#ends.server.process.gate(() => {
      if (!this.#serverOpen) return
      this.#serverOpen = false
      this.#serverEnd?.closed()
      this.#noticeEnd()
    })
  }

  #tellAgent(reason: string): void {
    this.#ends.agent.gate(() => {
      if (!this.#agentOpen) return
      this.#agentOpen = false
      this.#ends.onClose(reason)
      this.#noticeEnd()
    })
  }

  #noticeEnd(): void {
    if (!this.#agentOpen && !this.#serverOpen) this.onOver()
  }
}
