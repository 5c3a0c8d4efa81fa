import type { Attribute, HostResources } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import type { AgentConfig } from '../config/agent-settings.ts'
import type { RuntimeInfo } from '../runtime/container-runtime.ts'
import { capabilities } from './capabilities.ts'
import type { HostFacts } from './host-facts.ts'

/** CPU units of a core. */
const cpuUnitsPerCore = 1024

/**
 * What the host offers to tasks: all of the machine, or the share of it that the operator names, so that several agents can
 * each have a part of one machine. CPU and memory are without what is reserved; never less than 0.
 */
export function hostResources(config: AgentConfig, facts: HostFacts): HostResources {
  const memoryMib = config.memoryMib ?? facts.memoryMib
  return {
    cpu: Math.max(0, (config.cpu ?? facts.cpus * cpuUnitsPerCore) - config.reservedCpu),
    memoryMib: Math.max(0, memoryMib - config.reservedMemoryMib),
    reservedTcpPorts: [...config.reservedTcpPorts],
    reservedUdpPorts: [...config.reservedUdpPorts],
    gpuIds: [...facts.gpuIds],
    networkInterfaces: config.networkInterfaces,
    dynamicPorts: { ...config.dynamicPorts },
    custom: { ...config.resources },
  }
}

/**
 * The attributes of the container instance: ECS's own, the capabilities, and the operator's, which may not take the place
 * of ECS's. Sorted by name, so that equal hosts say the same.
 */
export function hostAttributes(config: AgentConfig, facts: HostFacts, engine: RuntimeInfo): Attribute[] {
  const attributes = new Map<string, string | undefined>([
    ...Object.entries(config.instanceAttributes),
    ...capabilities(config, engine).map((name) => [name, undefined] as const),
    ['ecs.availability-zone', zoneOf(config)],
    ['ecs.cpu-architecture', facts.architecture],
    ['ecs.os-family', 'LINUX'],
    ['ecs.os-type', 'linux'],
  ])
  return [...attributes]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => (value === undefined ? { name } : { name, value }))
}

/** What the operator should know of the engine, in sentences. */
export function engineWarnings(engine: RuntimeInfo): readonly string[] {
  if (engine.liveRestore) return []
  return [
    'Docker\'s live-restore is off: every task of this host ends when Docker restarts. Set "live-restore": true in /etc/docker/daemon.json.',
  ]
}

/** The availability zone that the host is in: the one it is told, or the first of its region. */
export const zoneOf = ({ zone, region }: Pick<AgentConfig, 'zone' | 'region'>): string => zone ?? `${region}a`
