import type { Log } from '@berth/shared/log.ts'
import type { AgentConfig } from './config/agent-settings.ts'
import { type HostFacts, readHostFacts } from './host/host-facts.ts'
import { engineWarnings, hostAttributes, hostResources } from './host/registration.ts'
import type { ContainerRuntime, RuntimeInfo } from './runtime/container-runtime.ts'
import type { HostDescription } from './session/session-options.ts'

/** How long the engine may take to say what it is, in ms, before the host joins without its word. */
const patienceMs = 5_000

/** An engine that has not been heard of offers nothing. */
const unknownEngine: RuntimeInfo = {
  version: '',
  liveRestore: true,
  operatingSystem: '',
  architecture: '',
  cpus: 0,
  memoryMib: 0,
  logDrivers: [],
  volumeDrivers: [],
}

/** Says what the host has to offer. What does not change is read once the engine has answered. */
export function hostDescriber(
  config: AgentConfig,
  hostAddress: string,
  runtime: ContainerRuntime,
  log: Log,
): () => Promise<HostDescription> {
  let known: { facts: HostFacts; engine: RuntimeInfo } | undefined
  return async () => {
    const answer = await runtime.info(AbortSignal.timeout(patienceMs)).catch(() => undefined)
    if (answer && answer.version !== known?.engine.version) {
      for (const warning of engineWarnings(answer)) log.warn(warning)
      known = { facts: await readHostFacts(answer), engine: answer }
    }
    const { facts, engine } = known ?? { facts: await readHostFacts(undefined), engine: unknownEngine }
    return {
      dockerVersion: answer?.version ?? '',
      resources: hostResources(config, facts),
      attributes: hostAttributes(config, facts, engine),
      address: hostAddress,
    }
  }
}
