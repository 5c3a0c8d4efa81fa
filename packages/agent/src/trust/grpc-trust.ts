import { type ChannelCredentials, type ChannelOptions, credentials as grpcCredentials, Metadata } from '@grpc/grpc-js'
import type { Clock } from '@berth/shared/clock.ts'
import { AgentGatewayClient } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { controlPlaneServerName } from '@berth/shared/host-trust.ts'
import type { Renewed } from './certificate-renewal.ts'
import type { HostCertificate } from './host-certificate.ts'

/** How a connection is secured by a host's certificate: both sides prove themselves. */
export const certificateCredentials = ({
  ca,
  key,
  certificate,
}: Pick<HostCertificate, 'ca' | 'key' | 'certificate'>): ChannelCredentials =>
  grpcCredentials.createSsl(Buffer.from(ca), Buffer.from(key), Buffer.from(certificate))

/** The control plane is known by its name, whatever address it is at. */
export const certificateChannelOptions: ChannelOptions = { 'grpc.ssl_target_name_override': controlPlaneServerName }

const answerWithinMs = 15_000

/** Asks the servers in turn for a new certificate; one that does not lead cannot give any. @throws Error of the last. */
export async function renewOverGrpc(
  clock: Clock,
  servers: readonly string[],
  current: HostCertificate,
  csr: string,
): Promise<Renewed> {
  let failure: unknown = new Error('no server is known')
  for (const server of servers) {
    try {
      return await renewAt(clock, server, current, csr)
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

async function renewAt(clock: Clock, server: string, current: HostCertificate, csr: string): Promise<Renewed> {
  const client = new AgentGatewayClient(server, certificateCredentials(current), {
    ...certificateChannelOptions,
    'grpc.use_local_subchannel_pool': 1,
  })
  try {
    return await new Promise((resolve, reject) => {
      const deadline = new Date(clock.now() + answerWithinMs)
      client.renewCertificate({ csr }, new Metadata(), { deadline }, (error, answer) =>
        error ? reject(error) : resolve(answer),
      )
    })
  } finally {
    client.close()
  }
}
