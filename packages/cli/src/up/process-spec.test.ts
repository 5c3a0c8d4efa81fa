import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { defaultClusterSettings } from '../cluster/cluster-settings.ts'
import { dataDirectoryAt } from '../cluster/data-directory.ts'
import { agentSpec, type ClusterPlan, controlPlaneSpec, hostPlans, redisSpec } from './process-spec.ts'

const plan: ClusterPlan = {
  directory: dataDirectoryAt('/data'),
  settings: { ...defaultClusterSettings, hosts: 4, memory: 2048 },
  secrets: { agentToken: 'agent-token', redisPassword: 'redis-password' },
  ports: { api: 1, agents: 2, redis: 3 },
  environment: {
    PATH: '/bin',
    BERTH_SETTLE_TIME: '1s',
    BERTH_RUNTIME: 'fake',
    BERTH_HOSTS: '4',
    ECS_IMAGE_PULL_BEHAVIOR: 'once',
  },
}
const hosts = hostPlans(plan, { cpu: 512, memoryMib: 1000 })
const [host] = hosts
if (host === undefined) throw new Error('no host was planned')

test('hosts are spread over the zones and have their share, or what the user says', () => {
  expect(hosts.map(({ zone }) => zone)).toEqual(['us-east-1a', 'us-east-1b', 'us-east-1c', 'us-east-1a'])
  expect(hosts.map(({ cpu, memoryMib }) => [cpu, memoryMib])).toEqual(hosts.map(() => [512, 2048]))
  expect(new Set(hosts.map(({ address }) => address)).size).toBe(4)
})

test('no secret stands on a command line', () => {
  for (const { args } of [redisSpec(plan), controlPlaneSpec(plan), agentSpec(plan, host)]) {
    expect(args.join(' ')).not.toMatch(/agent-token|redis-password/)
  }
})

test('the settings of services of the same machine are not for the programs of this cluster', () => {
  for (const { args } of [controlPlaneSpec(plan), agentSpec(plan, host)]) expect(args).toContain('--no-files')
})

test('the control plane is told where Redis is and takes further settings of its own from the user', () => {
  expect(controlPlaneSpec(plan).environment).toMatchObject({
    BERTH_LISTEN: '127.0.0.1:1',
    BERTH_AGENT_LISTEN: '127.0.0.1:2',
    BERTH_REDIS_URL: 'redis://:redis-password@127.0.0.1:3',
    BERTH_SETTLE_TIME: '1s',
  })
  expect(controlPlaneSpec(plan).environment).not.toHaveProperty('BERTH_HOSTS')
  expect(controlPlaneSpec(plan).environment).not.toHaveProperty('BERTH_RUNTIME')
})

describe('an agent', () => {
  const attributesWith = (own: string) =>
    agentSpec({ ...plan, environment: { ECS_INSTANCE_ATTRIBUTES: own } }, host).environment['ECS_INSTANCE_ATTRIBUTES']

  test("is told who it is, and gets ECS's own settings from the user, but none of the control plane's", () => {
    const { environment } = agentSpec(plan, host)
    expect(environment).toMatchObject({
      BERTH_SERVER: '127.0.0.1:2',
      BERTH_DATA_DIR: '/data/agents/1',
      BERTH_CPU: '512',
      BERTH_MEMORY: '2048',
      ECS_CLUSTER: 'default',
      ECS_IMAGE_PULL_BEHAVIOR: 'once',
      BERTH_RUNTIME: 'fake',
      PATH: '/bin',
    })
    expect(environment).not.toHaveProperty('BERTH_SETTLE_TIME')
  })

  test("keeps the user's attributes beside its own", () => {
    const ours = { 'berth.host': 'host-1', 'berth.address': host.address }
    expect(JSON.parse(attributesWith('{"stack":"blue"}') ?? '')).toEqual({ stack: 'blue', ...ours })
    expect(JSON.parse(attributesWith('') ?? '')).toEqual(ours)
  })

  test.each(['{', '[1]', '7'])('is given the mistake %s as it is, to complain of it', (own) => {
    expect(attributesWith(own)).toBe(own)
  })

  test('and the control plane are parts of this program', () => {
    for (const { args } of [controlPlaneSpec(plan), agentSpec(plan, host)]) {
      expect(existsSync(args.at(-3) ?? '')).toBe(true)
    }
  })
})
