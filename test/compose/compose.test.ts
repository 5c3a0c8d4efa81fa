import type { ContainerInstance, Service, Task } from '@aws-sdk/client-ecs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { AwsRunner } from '../e2e/aws-cli.ts'
import { eventually } from '../e2e/eventually.ts'
import { type ComposeLab, greeting, makeComposeLab } from './compose-lab.ts'

let lab: ComposeLab
let aws: AwsRunner

beforeAll(async () => {
  lab = await makeComposeLab({ HOST_DISCONNECTED_AFTER: '10s', HOST_LOST_AFTER: '15s', AGENT_MEMORY: '512' })
})
afterAll(() => lab?.dispose())

interface Host {
  readonly arn: string
  readonly name: string
  readonly isConnected: boolean
}

async function hosts(): Promise<readonly Host[]> {
  const { containerInstanceArns } = await aws.json<{ containerInstanceArns: string[] }>('list-container-instances')
  if (containerInstanceArns.length === 0) return []
  const { containerInstances } = await aws.json<{ containerInstances: ContainerInstance[] }>(
    'describe-container-instances --container-instances',
    ...containerInstanceArns,
  )
  return containerInstances
    .map(({ containerInstanceArn = '', attributes = [], agentConnected = false }) => ({
      arn: containerInstanceArn,
      name: attributes.find(({ name }) => name === 'berth.host')?.value ?? '',
      isConnected: agentConnected,
    }))
    .sort((a, b) => a.name.localeCompare(b.name))
}

const hostCalled = async (name: string): Promise<Host | undefined> =>
  (await hosts()).find((host) => host.name === name && host.isConnected)

/** Tasks of the service that run, once there are `count` and no more to come. */
const runningTasks = (count: number): Promise<readonly Task[]> =>
  eventually(`${count} tasks run`, async () => {
    const { services } = await aws.json<{ services: Service[] }>('describe-services --services web')
    if (services[0]?.runningCount !== count || services[0].pendingCount !== 0) return undefined
    const { taskArns } = await aws.json<{ taskArns: string[] }>('list-tasks --service-name web')
    const { tasks } = await aws.json<{ tasks: Task[] }>('describe-tasks --tasks', ...taskArns)
    return tasks.length === count && tasks.every(({ lastStatus }) => lastStatus === 'RUNNING') ? tasks : undefined
  })

const agent = async (number: number) => (await lab.containers('agent'))[number - 1]!

/** Ids of the tasks whose containers an engine of a host runs. */
async function tasksOnEngine(number: number): Promise<readonly string[]> {
  const printed = await lab.inside(await agent(number), 'docker', 'ps', '--format', '{{.Names}}')
  return [...printed.matchAll(/^ecs-web-\d+-([0-9a-f]{32})-/gm)].map(([, id]) => id ?? '').sort()
}

const idOf = ({ taskArn = '' }: Task): string => taskArn.split('/').at(-1) ?? ''

/** What a task says at the port of its host that it was given. */
async function answerOf({ containers }: Task): Promise<string> {
  const { bindIP, hostPort } = containers?.[0]?.networkBindings?.[0] ?? {}
  return (await fetch(`http://${bindIP}:${hostPort}/`)).text()
}

async function leader(): Promise<string> {
  for (const name of ['control-plane-1', 'control-plane-2', 'control-plane-3']) {
    const [container] = await lab.containers(name)
    if (container?.State !== 'running') continue
    const url = 'https://localhost:4566/_berth/health'
    const health = await lab.inside(container, 'curl', '-s', '--cacert', `/trust/${name}.pem`, url)
    if ((JSON.parse(health) as { leading: boolean }).leading) return name
  }
  throw new Error('nobody leads')
}

it('comes up by one command, with as many hosts as it is told', async () => {
  await lab.up(3)
  aws = await lab.aws()
  const joined = await eventually('three hosts are connected', async () => {
    const all = await hosts()
    return all.length === 3 && all.every(({ isConnected }) => isConnected) ? all : undefined
  })
  expect(joined.map(({ name }) => name)).toEqual(['agent-1', 'agent-2', 'agent-3'])
})

it('runs a service on its hosts, from an image that needs no registry', async () => {
  const container = { name: 'web', image: lab.image, memory: 16, cpu: 64, portMappings: [{ containerPort: 80 }] }
  await aws.json('register-task-definition --family web --container-definitions', JSON.stringify([container]))
  await aws.json(
    'create-service --service-name web --task-definition web --desired-count 6 --placement-strategy type=spread,field=instanceId',
  )
  const tasks = await runningTasks(6)
  const onEngines = await Promise.all([1, 2, 3].map(tasksOnEngine))
  expect(onEngines.map(({ length }) => length)).toEqual([2, 2, 2])
  expect(onEngines.flat().sort()).toEqual(tasks.map(idOf).sort())
  expect(await Promise.all(tasks.map(answerOf))).toEqual(tasks.map(() => greeting))
})

it('moves the tasks of a host that is killed', async () => {
  const lost = await hostCalled('agent-2')
  await lab.kill(await agent(2))
  await eventually('the host shows that it is away', async () => ((await hostCalled('agent-2')) ? undefined : true))
  const tasks = await eventually('its tasks are elsewhere', async () => {
    const running = await runningTasks(6)
    return running.some(({ containerInstanceArn }) => containerInstanceArn === lost?.arn) ? undefined : running
  })
  const onEngines = await Promise.all([1, 3].map(tasksOnEngine))
  expect(onEngines.flat().sort()).toEqual(tasks.map(idOf).sort())
})

it('goes on when the leading control plane is killed', async () => {
  const led = await leader()
  const [container] = await lab.containers(led)
  await lab.kill(container!)
  await aws.json('update-service --service web --desired-count 8')
  const tasks = await runningTasks(8)
  const onEngines = await Promise.all([1, 3].map(tasksOnEngine))
  expect(onEngines.flat().sort()).toEqual(tasks.map(idOf).sort())
  expect(await leader()).not.toBe(led)
})

it('is whole again after another `up`, with the same hosts and the same key', async () => {
  const before = { hosts: (await hosts()).map(({ arn, name }) => ({ arn, name })), variables: await lab.variables() }
  await lab.up(3)
  await eventually('three hosts are connected', async () =>
    (await hosts()).every(({ isConnected }) => isConnected) ? true : undefined,
  )
  expect((await hosts()).map(({ arn, name }) => ({ arn, name }))).toEqual(before.hosts)
  expect(await lab.variables()).toEqual(before.variables)
  const tasks = await runningTasks(8)
  const onEngines = await Promise.all([1, 2, 3].map(tasksOnEngine))
  expect(onEngines.flat().sort()).toEqual(tasks.map(idOf).sort())
})

it('is gone after `down --volumes`', async () => {
  expect(await lab.remains()).not.toEqual([])
  await lab.compose('down', '--volumes')
  expect(await lab.remains()).toEqual([])
})
