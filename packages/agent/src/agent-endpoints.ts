import { join } from 'node:path'
import type { Clock } from '@berth/shared/clock.ts'
import type { Log } from '@berth/shared/log.ts'
import type { Random } from '@berth/shared/random.ts'
import { version } from '@berth/shared/release.ts'
import type { RunningAgent } from './agent.ts'
import type { AgentConfig } from './config/agent-settings.ts'
import { engineAddress } from './docker-settings.ts'
import { type ContainerEndpoints, openContainerEndpoints } from './endpoints/container-endpoints.ts'
import type { EndpointSubject } from './endpoints/endpoint-answers.ts'
import { zoneOf } from './host/registration.ts'
import type { Journal } from './journal/journal.ts'
import { endpointEngine } from './runtime/docker/endpoint-engine.ts'
import { askProtection } from './session/asked-protection.ts'

interface Seams {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** The endpoints that containers ask; a host that only pretends to run any has none. */
export async function openAgentEndpoints(config: AgentConfig, seams: Seams): Promise<ContainerEndpoints | undefined> {
  if (config.runtime === 'fake') return undefined
  const engine = endpointEngine(engineAddress(config), seams.clock)
  const { introspectionPort } = config
  const options = { path: join(config.dataDir, 'endpoints.json'), zone: zoneOf(config), introspectionPort }
  return openContainerEndpoints({ ...seams, gateway: (signal) => engine.gateway(signal) }, options)
}

/** What they speak of: this agent's tasks. */
export function endpointSubject(
  config: AgentConfig,
  { engine, questions }: RunningAgent,
  journal: Journal,
  clock: Clock,
): EndpointSubject {
  const docker = endpointEngine(engineAddress(config), clock)
  return {
    tasks: () => engine.tasks(),
    stats: (runtimeId, signal) => docker.stats(runtimeId, signal),
    protection: { protection: (taskArn, change, signal) => askProtection(questions, taskArn, change, signal) },
    host: () => ({
      cluster: config.cluster,
      containerInstanceArn: journal.state.identity?.containerInstanceArn ?? '',
      version,
    }),
  }
}
