import type { SessionChannel, SessionTransport } from '@berth/agent/session/session-transport.ts'
import type { Clock } from '@berth/shared/clock.ts'

/** A transport whose network can fail as networks do: silently. */
export interface CuttableWire {
  readonly transport: SessionTransport
  /** From now on nothing passes, in neither direction, and nobody is told. */
  cut(): void
  /** New channels work again; those of before are gone. */
  mend(): void
}

/** How long a try to connect waits for an answer that does not come, in ms. */
const connectTimeoutMs = 2_000

/**
 * Channels of `inner` that fall silent when the wire is cut. The connection beneath stays open until the wire is mended, so
 * that the other side, too, hears nothing, rather than that the connection was closed.
 */
export function cuttableWire(inner: SessionTransport, clock: Clock): CuttableWire {
  let isCut = false
  /** Each ends a connection that the cut has left hanging. */
  const hanging = new Set<() => void>()

  const unreachable = (onClose: (reason: string) => void): SessionChannel => {
    const cancel = clock.after(connectTimeoutMs, () => onClose('The host is cut off.'))
    return { send() {}, close: cancel }
  }

  return {
    transport: {
      connect(address, onMessage, onClose) {
        if (isCut) return unreachable(onClose)
        let isDead = false
        const channel = inner.connect(
          address,
          (message) => {
            if (!isDead && !isCut) onMessage(message)
          },
          (reason) => {
            hanging.delete(end)
            if (!isDead) onClose(reason)
          },
        )
        const end = () => {
          hanging.delete(end)
          channel.close()
          if (!isDead) onClose('The host was cut off.')
          isDead = true
        }
        hanging.add(end)
        return {
          send(message) {
            if (!isDead && !isCut) channel.send(message)
          },
          close() {
            isDead = true
            if (isCut) return
            hanging.delete(end)
            channel.close()
          },
        }
      },
    },
    cut() {
      isCut = true
    },
    mend() {
      if (!isCut) return
      isCut = false
      for (const end of hanging) end()
    },
  }
}
