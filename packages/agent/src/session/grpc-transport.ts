import { type ChannelCredentials, type ChannelOptions, credentials as grpcCredentials } from '@grpc/grpc-js'
import type { Clock } from '@berth/shared/clock.ts'
import { AgentGatewayClient, type ControlMessage } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { sessionTimes } from './session-options.ts'
import type { SessionTransport } from './session-transport.ts'

export interface GrpcTransportOptions {
  readonly clock: Clock
  /** How a connection that is opened now is secured; without, it is not. */
  readonly credentials?: () => ChannelCredentials
  readonly channelOptions?: ChannelOptions
}

/** A full set for a host with ten thousand tasks is about 30 MiB. */
const largestMessage = 64 * 1024 * 1024

const channelOptions = {
  'grpc.max_receive_message_length': largestMessage,
  'grpc.max_send_message_length': largestMessage,
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.keepalive_permit_without_calls': 1,
  // How long to wait before another try is decided here and not by gRPC, which would share its own pauses between channels.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_retries': 0,
}

/** Sessions over gRPC, a connection each. */
export function grpcTransport({
  clock,
  credentials = () => grpcCredentials.createInsecure(),
  channelOptions: moreOptions = {},
}: GrpcTransportOptions): SessionTransport {
  return {
    connect(address, onMessage, onClose) {
      const client = new AgentGatewayClient(address, credentials(), { ...channelOptions, ...moreOptions })
      const call = client.session()
      let isOpen = true
      const end = (reason: string) => {
        client.close()
        if (!isOpen) return
        isOpen = false
        onClose(reason)
      }
      call.on('data', (message: ControlMessage) => {
        if (isOpen) onMessage(message)
      })
      call.on('error', (error: Error) => end(error.message))
      call.on('end', () => end('The server ended the stream.'))
      return {
        send(message) {
          if (isOpen) call.write(message)
        },
        close() {
          if (!isOpen) return
          isOpen = false
          call.end()
          const cancelForce = clock.after(sessionTimes.leaveMs, () => call.cancel())
          call.once('status', () => {
            cancelForce()
            client.close()
          })
        },
      }
    },
  }
}
