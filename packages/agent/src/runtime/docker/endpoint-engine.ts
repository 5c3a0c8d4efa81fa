import type { Clock } from '@berth/shared/clock.ts'
import { defaultDeadlines } from './deadlines.ts'
import { type EngineAddress, engineConnection } from './engine-connection.ts'

/** What the agent's endpoints ask of Docker. */
export interface EndpointEngine {
  /** The host's own address on Docker's bridge: containers of every network but `none` reach the host there. */
  gateway(signal: AbortSignal): Promise<string | undefined>
  /** What Docker counts of a container now, as Docker says it. */
  stats(runtimeId: string, signal: AbortSignal): Promise<unknown>
}

interface NetworkAnswer {
  readonly IPAM: { readonly Config: readonly { readonly Subnet?: string; readonly Gateway?: string }[] | null }
}

/** Over a connection of its own: what containers ask must not keep those waiting that start. */
export function endpointEngine(address: EngineAddress, clock: Clock): EndpointEngine {
  const connection = engineConnection(address, clock, defaultDeadlines)
  return {
    async gateway(signal) {
      const request = { operation: 'network', method: 'GET', path: '/networks/bridge' } as const
      const { IPAM } = (await connection.call(request, signal)) as NetworkAnswer
      const [config] = (IPAM.Config ?? []).filter(({ Subnet = '' }) => !Subnet.includes(':'))
      return config?.Gateway ?? firstAddress(config?.Subnet)
    },
    stats: (runtimeId, signal) =>
      connection.call(
        {
          operation: 'inspect',
          method: 'GET',
          path: `/containers/${encodeURIComponent(runtimeId)}/stats`,
          query: { stream: false },
        },
        signal,
      ),
  }
}

/** Where Docker chose the subnet itself it does not say the gateway; it always takes the first address, or the one `--bip` names. */
function firstAddress(subnet: string | undefined): string | undefined {
  const [, network, last] = /^(\d+\.\d+\.\d+)\.(\d+)\//.exec(subnet ?? '') ?? []
  return network === undefined ? undefined : `${network}.${Number(last) + (Number(last) === 0 ? 1 : 0)}`
}
