import { credentials as grpcCredentials, type ChannelCredentials } from '@grpc/grpc-js'
import { grpcTransport } from '@berth/agent/session/grpc-transport.ts'
import { certificateChannelOptions, certificateCredentials } from '@berth/agent/trust/grpc-trust.ts'
import type { HostCertificate } from '@berth/agent/trust/host-certificate.ts'
import { systemClock } from '@berth/shared/clock.ts'
import { type AgentMessage, type ControlMessage, Hello } from '@berth/shared/gen/berth/agent/v1/agent.ts'

export const helloOf = (hostId: string, more: Partial<Hello> = {}): Hello =>
  Hello.fromPartial({
    protocolVersion: 1,
    cluster: 'default',
    hostId,
    resources: { cpu: 2048, memoryMib: 4096, networkInterfaces: 10 },
    engineHealthy: true,
    ...more,
  })

export type AgentWord = NonNullable<AgentMessage['message']>
export type ControlWord = NonNullable<ControlMessage['message']>

/** A stream to the control plane's listener for agents, as an agent opens it, or somebody who would like to be one. */
export interface AgentStream {
  readonly heard: readonly ControlWord[]
  /** Why it ended; resolves when it does. */
  readonly closed: Promise<string>
  send(word: AgentWord): void
  /** The first word of this kind. @throws Error with the reason when the stream ends before. */
  hear<K extends ControlWord['$case']>(kind: K): Promise<Extract<ControlWord, { $case: K }>['value']>
  close(): void
}

export function openStream(address: string, credentials: ChannelCredentials): AgentStream {
  const heard: ControlWord[] = []
  const waiting = new Set<() => void>()
  const closed = Promise.withResolvers<string>()
  let reason: string | undefined
  const wake = () => waiting.forEach((look) => look())
  const transport = grpcTransport({
    clock: systemClock,
    credentials: () => credentials,
    channelOptions: certificateChannelOptions,
  })
  const channel = transport.connect(
    address,
    ({ message }) => {
      if (message) heard.push(message)
      wake()
    },
    (why) => {
      reason = why
      closed.resolve(why)
      wake()
    },
  )
  return {
    heard,
    closed: closed.promise,
    send: (message) => channel.send({ message }),
    hear: (kind) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const word = heard.find((one) => one.$case === kind)
          if (word === undefined && reason === undefined) return
          waiting.delete(look)
          if (word) resolve(word.value as never)
          else reject(new Error(reason))
        }
        waiting.add(look)
        look()
      }),
    close: () => channel.close(),
  }
}

/** Says Hello with a certificate, or without one, and gives the first answer: `welcome`, or why not. */
export async function sayHello(
  address: string,
  hello: Hello,
  certificate: HostCertificate | { readonly ca: string },
): Promise<string> {
  const credentials =
    'key' in certificate ? certificateCredentials(certificate) : grpcCredentials.createSsl(Buffer.from(certificate.ca))
  const stream = openStream(address, credentials)
  stream.send({ $case: 'hello', value: hello })
  const answer = await Promise.race([
    stream.hear('welcome').then(() => 'welcome'),
    stream.hear('refused').then(({ code, message }) => `${code}: ${message}`),
  ]).catch((error: Error) => error.message)
  stream.close()
  return answer
}
