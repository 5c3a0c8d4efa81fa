import type { AgentOptions } from './agent.ts'
import type { AgentConfig } from './config/agent-settings.ts'
import { defaultEngineOptions } from './engine/engine-deps.ts'

/** The version that the agent says it is. */
export const agentVersion = '0.1.0'

/** What a configuration means to the engine and the session. `hostAddress` is where host ports are bound and reached. */
export const agentOptions = (config: AgentConfig, hostAddress: string): AgentOptions => ({
  session: {
    servers: config.servers,
    cluster: config.cluster,
    token: config.token,
    offersFargate: config.offersFargate,
    agentVersion,
    agentHash: '',
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
