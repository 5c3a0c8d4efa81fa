import { type HostDescription, type HostState, ZONE_ATTRIBUTE } from './host-description.ts'

/** A host that takes new tasks. */
export const RUNNING: HostState = { agentConnected: true, status: 'ACTIVE' }

/** A host for tests: what a test does not say is unremarkable. All are in the pool `main`. */
export function describeHost(
  said: Partial<Omit<HostDescription, 'attributes'>> & {
    readonly id: string
    readonly zone?: string
    readonly attributes?: Readonly<Record<string, string | null>>
  },
): HostDescription {
  const { zone = 'a', attributes = {}, ...rest } = said
  return {
    cpu: 1024,
    memory: 2048,
    gpus: 0,
    enis: 10,
    reservedPorts: [],
    ec2InstanceId: `i-${said.id}`,
    agentVersion: '1.90.0',
    registeredAt: Date.UTC(2024, 0, 1),
    pools: ['main'],
    ...rest,
    attributes: new Map(Object.entries({ [ZONE_ATTRIBUTE]: zone, ...attributes })),
  }
}
