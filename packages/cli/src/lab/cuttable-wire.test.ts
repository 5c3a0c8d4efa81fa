import type { SessionTransport } from '@berth/agent/session/session-transport.ts'
import type { AgentMessage, ControlMessage } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { virtualClock } from '@berth/shared/virtual-clock.ts'
import { expect, test } from 'vitest'
import { cuttableWire } from './cuttable-wire.ts'

const message = {} as AgentMessage & ControlMessage

function connected() {
  const seen = { sent: 0, received: 0, closedBelow: 0, closedAbove: [] as string[] }
  let arrive: (message: ControlMessage) => void = () => undefined
  const inner: SessionTransport = {
    connect(_address, onMessage) {
      arrive = onMessage
      return { send: () => void (seen.sent += 1), close: () => void (seen.closedBelow += 1) }
    },
  }
  const clock = virtualClock()
  const wire = cuttableWire(inner, clock)
  const connect = () =>
    wire.transport.connect(
      'server',
      () => void (seen.received += 1),
      (reason) => seen.closedAbove.push(reason),
    )
  return { seen, wire, clock, connect, arrive: () => arrive(message) }
}

test('a wire that is cut lets nothing pass, and tells nobody', () => {
  const { seen, wire, connect, arrive } = connected()
  const channel = connect()
  channel.send(message)
  arrive()
  wire.cut()
  channel.send(message)
  arrive()
  expect(seen).toEqual({ sent: 1, received: 1, closedBelow: 0, closedAbove: [] })
})

test('an agent that leaves a cut wire leaves the connection hanging until the wire is mended', () => {
  const { seen, wire, connect } = connected()
  const channel = connect()
  wire.cut()
  channel.close()
  expect(seen.closedBelow).toBe(0)
  wire.mend()
  expect(seen.closedBelow).toBe(1)
  expect(seen.closedAbove).toEqual([])
})

test('an agent that still waits on the wire learns that its channel is gone when it is mended', () => {
  const { seen, wire, connect } = connected()
  connect()
  wire.cut()
  wire.mend()
  expect(seen.closedAbove).toHaveLength(1)
})

test('a try to connect through a cut fails after a while', async () => {
  const { seen, wire, clock, connect } = connected()
  wire.cut()
  connect()
  expect(seen.closedAbove).toEqual([])
  await clock.advanceBy(5000)
  expect(seen.closedAbove).toHaveLength(1)
})
