import type { AgentMessage, ControlMessage } from '@berth/shared/gen/berth/agent/v1/agent.ts'

/** What carries a session: gRPC, or a wire in memory for simulations. Messages arrive in the order in which they were sent. */
export interface SessionTransport {
  /**
   * Opens a channel to `address` (`host:port`). Never throws: a channel that cannot be opened closes. `onClose` is called
   * once, with the reason in words, unless the channel was closed from this side; after either, no message arrives.
   */
  connect(
    address: string,
    onMessage: (message: ControlMessage) => void,
    onClose: (reason: string) => void,
  ): SessionChannel
}

export interface SessionChannel {
  /** Sends without waiting; what is sent into a channel that is closing is lost. */
  send(message: AgentMessage): void
  /** Sends what is still to be sent, and closes. */
  close(): void
}
