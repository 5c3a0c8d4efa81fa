import type { AgentConfig } from './config/agent-settings.ts'
import type { DockerRuntimeOptions } from './runtime/docker/docker-runtime.ts'
import type { EngineAddress } from './runtime/docker/engine-connection.ts'

/** Where the agent is told that Docker listens. */
export const engineAddress = (config: AgentConfig): EngineAddress => ({
  dockerHost: config.dockerHost,
  ...(config.dockerCertPath === undefined ? {} : { certPath: config.dockerCertPath }),
})

/** How the agent is told to use it; `onResolved` hears of every image that a task is given. */
export const dockerRuntimeOptions = (
  config: AgentConfig,
  onResolved: (imageId: string, isNew: boolean) => void,
): DockerRuntimeOptions => ({
  taskNetwork: config.taskNetwork,
  limitsTasks: config.taskCpuMemLimit,
  pull: { inactivityMs: config.imagePullInactivityTimeoutMs, onResolved },
  deadlines: { create: config.containerCreateTimeoutMs, start: config.containerStartTimeoutMs },
  ...(config.parallelStarts === undefined ? {} : { parallel: config.parallelStarts }),
  ...(config.cgroupParent === undefined ? {} : { cgroupParent: config.cgroupParent }),
})
