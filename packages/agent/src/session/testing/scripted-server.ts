import type { Clock } from '@berth/shared/clock.ts'
import type {
  AgentMessage,
  Assignments,
  ControlMessage,
  TaskAssignment,
} from '@berth/shared/gen/berth/agent/v1/agent.ts'
import type { SessionTransport } from '../session-transport.ts'

type AgentWord = NonNullable<AgentMessage['message']>
type ServerWord = NonNullable<ControlMessage['message']>
type Case = AgentWord['$case']

/** One stream that an agent opened, as the server sees it. */
export interface ScriptedStream {
  readonly address: string
  readonly received: AgentWord[]
  isOpen: boolean
  say(word: ServerWord): void
  /** Ends the stream from the server's side. */
  end(reason?: string): void
}

/** What a server does by itself; a test can take each of it away. */
export interface ServerHabits {
  /** Whether it takes connections; an address that is not listed does. */
  readonly refusesConnections: Set<string>
  /** What it answers Hello with; by default a Welcome. */
  onHello: (stream: ScriptedStream) => void
  acknowledgesReports: boolean
  answersHeartbeats: boolean
}

const latencyMs = 1

/** A control plane for tests, in memory, that keeps what it hears and says only what it is told to. */
export function scriptedServer(clock: Clock) {
  const streams: ScriptedStream[] = []
  const habits: ServerHabits = {
    refusesConnections: new Set(),
    onHello: (stream) => welcome(stream),
    acknowledgesReports: true,
    answersHeartbeats: true,
  }

  const welcome = (stream: ScriptedStream, over: { epoch?: number; arn?: string } = {}) =>
    stream.say({
      $case: 'welcome',
      value: {
        containerInstanceArn: over.arn ?? 'arn:instance',
        epoch: over.epoch ?? 1,
        heartbeatIntervalMs: 1000,
        handBackTaskArns: [],
        clusterArn: 'arn:cluster',
      },
    })

  const answer = (stream: ScriptedStream, word: AgentWord) => {
    stream.received.push(word)
    if (word.$case === 'hello') habits.onHello(stream)
    if (word.$case === 'statusReport' && habits.acknowledgesReports)
      stream.say({ $case: 'statusAck', value: { sequence: word.value.sequence } })
    if (word.$case === 'heartbeat' && habits.answersHeartbeats)
      stream.say({ $case: 'heartbeatAck', value: { sequence: word.value.sequence, intervalMs: 0 } })
  }

  const transport: SessionTransport = {
    connect(address, onMessage, onClose) {
      const stream: ScriptedStream = {
        address,
        received: [],
        isOpen: true,
        say(word) {
          clock.after(latencyMs, () => {
            if (stream.isOpen) onMessage({ message: word })
          })
        },
        end(reason = 'the server ended the stream') {
          clock.after(latencyMs, () => {
            if (!stream.isOpen) return
            stream.isOpen = false
            onClose(reason)
          })
        },
      }
      streams.push(stream)
      if (habits.refusesConnections.has(address)) stream.end('connection refused')
      return {
        send({ message }) {
          const isHeard = stream.isOpen && !habits.refusesConnections.has(address)
          if (message && isHeard) clock.after(latencyMs, () => answer(stream, message))
        },
        close() {
          stream.isOpen = false
        },
      }
    },
  }

  const server = {
    transport,
    habits,
    streams,
    welcome,
    /** The newest stream. */
    get stream(): ScriptedStream {
      const stream = streams.at(-1)
      if (!stream) throw new Error('Nobody has connected.')
      return stream
    },
    /** What came over all streams, of one kind. */
    heard<C extends Case>($case: C): Extract<AgentWord, { $case: C }>['value'][] {
      return streams.flatMap((stream) =>
        stream.received.flatMap((word) => (word.$case === $case ? [word.value as never] : [])),
      )
    },
    assign(number: number, put: readonly TaskAssignment[], over: Partial<Assignments> = {}): void {
      const value = {
        revision: { epoch: 1, number },
        previous: over.full ? undefined : { epoch: 1, number: number - 1 },
        full: false,
        put: [...put],
        removeTaskArns: [],
        ...over,
      }
      server.stream.say({ $case: 'assignments', value })
    },
  }
  return server
}
