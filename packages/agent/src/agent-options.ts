import { revision, version } from '@berth/shared/release.ts'
import type { AgentOptions } from './agent.ts'
import type { AgentConfig } from './config/agent-settings.ts'
import { defaultEngineOptions } from './engine/engine-deps.ts'

/** What a configuration means to the engine and the session. `hostAddress` is where host ports are bound and reached. */
export const agentOptions = (config: AgentConfig, hostAddress: string): AgentOptions => ({
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
  },
})
