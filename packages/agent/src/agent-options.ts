import { revision, version } from '@berth/shared/release.ts'
import type { AgentOptions } from './agent.ts'
import type { AgentConfig } from './config/agent-settings.ts'
import { ConfigError } from '@berth/shared/config/read-settings.ts'
import { defaultEngineOptions, type EngineOptions } from './engine/engine-deps.ts'
import type { ContainerEndpoints } from './endpoints/container-endpoints.ts'
import { registryCredentials } from './runtime/docker/registry-credentials.ts'

/** What a configuration means to the engine and the session. `hostAddress` is where host ports are bound and reached. */
export const agentOptions = (
  config: AgentConfig,
  hostAddress: string,
  endpoints?: Pick<ContainerEndpoints, 'variables'>,
): AgentOptions => ({
  session: {
    servers: config.servers,
    cluster: config.cluster,
    token: config.token,
    offersFargate: config.offersFargate,
    agentVersion: version,
    agentHash: revision,
  },
  engine: {
    ...defaultEngineOptions,
    hostAddress,
    imagePullBehavior: config.imagePullBehavior,
    stopTimeoutMs: config.containerStopTimeoutMs,
    cleanupWaitMs: config.taskCleanupWaitMs,
    allowsPrivileged: !config.disablePrivileged,
    credentialsFor: credentialsFor(config),
    efsServerOf: (id) => efsServerOf(config, id),
    ...(endpoints && { endpointVariables: (task, container) => endpoints.variables(task, container) }),
  },
})

/** By its id, or else by the rule for all. */
const efsServerOf = ({ efsServers }: Pick<AgentConfig, 'efsServers'>, id: string): string | undefined =>
  efsServers[id] ?? efsServers['*']?.replaceAll('{id}', id)

/** @throws ConfigError for data that is not of its type's form. */
function credentialsFor({ engineAuthType, engineAuthData }: AgentConfig): EngineOptions['credentialsFor'] {
  if (engineAuthType === undefined) return () => undefined
  try {
    return registryCredentials(engineAuthType, engineAuthData)
  } catch (error) {
    throw new ConfigError('The agent', [`ECS_ENGINE_AUTH_DATA ${(error as Error).message}`])
  }
}
