import { AgentMessage, ControlMessage } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { type Random, randomBelow, randomFloat } from '@berth/shared/random.ts'
import type { VirtualClock } from '@berth/shared/virtual-clock.ts'
import type { SessionTransport } from '@berth/agent/session/session-transport.ts'
import type { SimulatedProcess } from './simulated-process.ts'

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
}

/** Messages that are nothing but a step of the handshake; a second one of these is a fault of its own kind, and no network makes it. */
const handshake = new Set(['hello', 'welcome', 'refused', 'goodbye'])

/** How long it may take until one end learns that the stream is broken, in ms. */
const slowestNewsMs = 20_000

/**
 * The network between agents and control planes: ordered streams whose messages take time, arrive twice, or are lost with the stream that
 * carried them, and whose two ends learn of a break at different times, so that late words of an old stream meet a new one.
 */
export class Network {
  readonly #clock: VirtualClock
  readonly #random: Random
  readonly #servers = new Map<string, Server>()
  readonly #ways = new Map<string, HostWay>()
  readonly #streams = new Set<Stream>()

  constructor(clock: VirtualClock, random: Random) {
    this.#clock = clock
    this.#random = random
  }

  listen(address: string, server: Server): void {
    this.#servers.set(address, server)
  }

  way(host: string): HostWay {
    let way = this.#ways.get(host)
    if (!way) this.#ways.set(host, (way = { cut: false, slowestMs: 3, doubling: 0 }))
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
        const stream = new Stream(this.#clock, this.#random, host, this.way(host), agent, server, onMessage, onClose)
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

/** One direction of a stream: parcels arrive in the order in which they were sent. */
class Lane {
  readonly #parcels: Parcel[] = []
  readonly #clock: VirtualClock
  readonly #random: Random
  readonly #way: HostWay
  readonly #deliver: (bytes: Uint8Array) => void
  #last = 0
  /** Parcels sent after the break go nowhere. */
  #broken = false

  constructor(clock: VirtualClock, random: Random, way: HostWay, deliver: (bytes: Uint8Array) => void) {
    this.#clock = clock
    this.#random = random
    this.#way = way
    this.#deliver = deliver
  }

  send(bytes: Uint8Array, kind: string): void {
    const twice = !handshake.has(kind) && randomFloat(this.#random) < this.#way.doubling
    for (let copies = twice ? 2 : 1; copies > 0; copies--) this.post(() => this.#deliver(bytes))
  }

  post(deliver: () => void): void {
    if (this.#broken) return
    const at = Math.max(this.#last, this.#clock.monotonic() + 1 + randomBelow(this.#random, this.#way.slowestMs))
    this.#last = at
    this.#parcels.push({ at, deliver })
    this.#clock.after(at - this.#clock.monotonic(), () => this.flow())
  }

  /** Delivers what is due. */
  flow(): void {
    while (!this.#way.cut && this.#parcels[0] && this.#parcels[0].at <= this.#clock.monotonic())
      this.#parcels.shift()?.deliver()
  }

  /** Loses what is on its way, from some point on. */
  break(): void {
    this.#broken = true
    this.#parcels.length = randomBelow(this.#random, this.#parcels.length + 1)
  }

  drop(): void {
    this.#broken = true
    this.#parcels.length = 0
  }
}

class Stream {
  readonly host: string
  readonly up: Lane
  readonly down: Lane
  readonly #clock: VirtualClock
  readonly #random: Random
  readonly #agent: SimulatedProcess
  readonly #server: Server
  readonly #onClose: (reason: string) => void
  #serverEnd: ServerEnd | undefined
  #agentOpen = true
  #serverOpen = true
  #broken = false
  onOver: () => void = () => {}

  constructor(
    clock: VirtualClock,
    random: Random,
    host: string,
    way: HostWay,
    agent: SimulatedProcess,
    server: Server,
    onMessage: (message: ControlMessage) => void,
    onClose: (reason: string) => void,
  ) {
    this.host = host
    this.#clock = clock
    this.#random = random
    this.#agent = agent
    this.#server = server
    this.#onClose = onClose
    this.up = new Lane(clock, random, way, (bytes) =>
      server.process.gate(() => this.#serverOpen && this.#serverEnd?.receive(AgentMessage.decode(bytes))),
    )
    this.down = new Lane(clock, random, way, (bytes) =>
      agent.gate(() => this.#agentOpen && onMessage(ControlMessage.decode(bytes))),
    )
    this.up.post(() => server.process.gate(() => this.#accept()))
  }

  involves(process: SimulatedProcess): boolean {
    return this.#agent === process || this.#server.process === process
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
    this.#clock.after(randomBelow(this.#random, newsMs), () => this.#tellServer())
    this.#clock.after(randomBelow(this.#random, newsMs), () => this.#tellAgent('the stream broke'))
  }

  #accept(): void {
    if (!this.#serverOpen) return
    this.#serverEnd = this.#server.accept({
      send: (message) => this.#serverOpen && this.down.send(ControlMessage.encode({ message }).finish(), message.$case),
      close: () => this.closedBy('server'),
    })
  }

  #tellServer(): void {
    this.#server.process.gate(() => {
      if (!this.#serverOpen) return
      this.#serverOpen = false
      this.#serverEnd?.closed()
      this.#noticeEnd()
    })
  }

  #tellAgent(reason: string): void {
    this.#agent.gate(() => {
      if (!this.#agentOpen) return
      this.#agentOpen = false
      this.#onClose(reason)
      this.#noticeEnd()
    })
  }

  #noticeEnd(): void {
    if (!this.#agentOpen && !this.#serverOpen) this.onOver()
  }
}
