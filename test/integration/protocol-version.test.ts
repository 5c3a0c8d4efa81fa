import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Task } from '@aws-sdk/client-ecs'
import { type RunningAgent, startAgent } from '@berth/agent/agent.ts'
import { defaultEngineOptions } from '@berth/agent/engine/engine-deps.ts'
import { ensureIdentity } from '@berth/agent/journal/host-identity.ts'
import { memoryDisk, openMemoryJournal } from '@berth/agent/journal/memory-journal.ts'
import { fakeRuntime } from '@berth/agent/runtime/fake/fake-runtime.ts'
import { FakeWorld } from '@berth/agent/runtime/fake/fake-world.ts'
import { grpcTransport } from '@berth/agent/session/grpc-transport.ts'
import { type EcsClient, ecsClient } from '@berth/cli/ecs/ecs-client.ts'
import { compileControlPlaneConfig } from '@berth/control-plane/config/control-plane-config.ts'
import { type RunningControlPlane, startControlPlane } from '@berth/control-plane/start-control-plane.ts'
import { systemClock } from '@berth/shared/clock.ts'
import { type Log, type LogFields, silentLog } from '@berth/shared/log.ts'
import { systemRandom } from '@berth/shared/random.ts'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../e2e/eventually.ts'
import { type RedisProcess, startRedis } from '../redis/redis-process.ts'

/** What the control plane speaks here: far from the first version, so that there are two before it. */
const own = 5
const key = { accessKeyId: 'AKIAPROTOCOL00000000', secretAccessKey: 'secret-of-the-test', name: 'root' }

let directory: string
let redis: RedisProcess
let plane: RunningControlPlane
let ecs: EcsClient
let agent: RunningAgent | undefined
/** Warnings of the control plane, and of the agent. */
const warned = { plane: [] as string[], agent: [] as string[] }

const noting = (lines: string[]): Log => ({
  ...silentLog,
  warn: (message, fields?: LogFields) => void lines.push(`${message} ${String(fields?.['reason'])}`),
})

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'berth-protocol-'))
  redis = await startRedis()
  const keys = join(directory, 'keys.json')
  writeFileSync(keys, JSON.stringify([key]), { mode: 0o600 })
  const environment = {
    BERTH_LISTEN: '127.0.0.1:0',
    BERTH_AGENT_LISTEN: '127.0.0.1:0',
    BERTH_REDIS_URL: redis.url,
    BERTH_ACCESS_KEYS_FILE: keys,
    BERTH_LEASE: '1s',
  }
  const config = compileControlPlaneConfig({ flags: {}, environment, files: [] })
  const seams = { clock: systemClock, random: systemRandom(), log: noting(warned.plane) }
  plane = await startControlPlane(config, { ...seams, protocolVersion: own })
  ecs = ecsClient({ endpoint: `http://127.0.0.1:${plane.apiPort}`, region: 'us-east-1', key })
  await eventually('the control plane leads', () => ecs('ListClusters', {}))
  const containerDefinitions = [{ name: 'app', image: 'app:1', memory: 16 }]
  await ecs('RegisterTaskDefinition', { family: 'app', containerDefinitions })
})
afterEach(async () => {
  await agent?.stop()
  agent = undefined
})
afterAll(async () => {
  await plane?.stop()
  await redis?.remove()
  rmSync(directory, { recursive: true })
})

/** Starts the agent of a new host, which speaks a version of the protocol. */
async function startHost(protocolVersion: number): Promise<void> {
  warned.plane.length = 0
  warned.agent.length = 0
  const seams = { clock: systemClock, random: systemRandom(), log: noting(warned.agent) }
  const journal = openMemoryJournal(memoryDisk())
  const { hostId } = await ensureIdentity(journal, seams.random)
  agent = startAgent(
    {
      session: {
        servers: [`127.0.0.1:${plane.agentPort}`],
        cluster: 'default',
        token: '',
        offersFargate: false,
        agentVersion: '0.0.0',
        agentHash: '',
        protocolVersion,
      },
      engine: { ...defaultEngineOptions, hostAddress: '127.0.0.1' },
    },
    {
      ...seams,
      journal,
      runtime: fakeRuntime(new FakeWorld(seams), hostId),
      transport: grpcTransport({ clock: systemClock }),
      describe: async () => ({
        dockerVersion: '20.10.24',
        resources: {
          cpu: 1024,
          memoryMib: 1024,
          reservedTcpPorts: [],
          reservedUdpPorts: [],
          gpuIds: [],
          networkInterfaces: 0,
          dynamicPorts: { first: 49153, last: 65535 },
          custom: {},
        },
        attributes: [],
        address: '127.0.0.1',
      }),
    },
  )
}

const taskWith = (taskArn: string, status: string) =>
  eventually(`the task is ${status}`, async () => {
    const { tasks } = await ecs<{ tasks: Task[] }>('DescribeTasks', { tasks: [taskArn] })
    return tasks[0]?.lastStatus === status ? tasks[0] : undefined
  })

describe(`a control plane that speaks protocol ${own}`, () => {
  test.each([
    ['one version older', own - 1],
    ['of its own version', own],
    ['one version newer', own + 1],
  ])('runs and stops tasks by an agent %s', async (_, version) => {
    await startHost(version)
    const run = () => ecs<{ tasks: { taskArn: string }[] }>('RunTask', { taskDefinition: 'app' })
    const taskArn = await eventually('the task is placed', async () => (await run()).tasks[0]?.taskArn)
    await taskWith(taskArn, 'RUNNING')
    await ecs('StopTask', { task: taskArn })
    expect(await taskWith(taskArn, 'STOPPED')).toMatchObject({ stopCode: 'UserInitiated' })
  })

  test.each([
    ['two versions older', own - 2],
    ['two versions newer', own + 2],
  ])('turns an agent away that is %s, in one line on both sides', async (_, version) => {
    await startHost(version)
    const line = `The agent speaks protocol ${version}; this control plane speaks ${own - 1} to ${own + 1}. Upgrade the older one.`
    await eventually('the agent says why', async () => warned.agent[0])
    expect(warned.agent[0]).toBe(`The control plane does not take this host in. ${line}`)
    expect(warned.plane).toContain(`an agent is not let in ${line}`)
  })
})
