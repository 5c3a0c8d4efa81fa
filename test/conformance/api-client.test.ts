import {
  ClusterNotFoundException,
  ConflictException,
  DescribeClustersCommand,
  DescribeTasksCommand,
  ECSClient,
  paginateListTasks,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  UnsupportedFeatureException,
  UpdateContainerAgentCommand,
} from '@aws-sdk/client-ecs'
import { afterEach, describe, expect, it } from 'vitest'
import { clusterNotFound, conflict, storeUnavailable } from '@berth/control-plane/api/errors.ts'
import type { EcsHandlers } from '@berth/control-plane/api/operation.ts'
import { takePage } from '@berth/control-plane/api/paging.ts'
import { type ApiEndpoint, startApi } from './api-under-test.ts'

const cleanUps: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

function clientOf(
  endpoint: ApiEndpoint,
  overrides: { secretAccessKey?: string; accessKeyId?: string } = {},
): ECSClient {
  const { accessKeyId, secretAccessKey } = { ...endpoint, ...overrides }
  const client = new ECSClient({
    endpoint: `http://${endpoint.host}:${endpoint.port}`,
    region: endpoint.region,
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 1,
  })
  cleanUps.push(() => client.destroy())
  return client
}

async function start(handlers: EcsHandlers): Promise<{ readonly client: ECSClient; readonly endpoint: ApiEndpoint }> {
  const { endpoint, server } = await startApi(handlers)
  cleanUps.push(() => server.close())
  return { client: clientOf(endpoint), endpoint }
}

describe("AWS's JavaScript client", () => {
  it('gets a definition back as it sent it', async () => {
    const { client } = await start({
      RegisterTaskDefinition: (input) => ({ taskDefinition: input, tags: input.tags ?? [] }),
    })
    const sent = {
      family: 'web',
      containerDefinitions: [
        {
          name: 'app',
          image: 'registry/app:1',
          cpu: 256,
          essential: true,
          portMappings: [{ containerPort: 80, hostPort: 0, protocol: 'tcp' as const }],
          environment: [{ name: 'GREETING', value: 'hällo ✓ 🚢' }],
          dockerLabels: { a: 'b' },
          command: [],
        },
      ],
      volumes: [],
    }
    const tags = [{ key: 'team', value: '' }]
    const answer = await client.send(new RegisterTaskDefinitionCommand({ ...sent, tags }))
    expect(answer.taskDefinition).toEqual(sent)
    expect(answer.tags).toEqual(tags)
    expect(answer.$metadata).toMatchObject({
      httpStatusCode: 200,
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    })
  })

  it('reads timestamps to the millisecond', async () => {
    const createdAt = new Date(1_700_000_000_123)
    const { client } = await start({ DescribeTasks: () => ({ tasks: [{ createdAt, version: 3 }], failures: [] }) })
    const { tasks, failures } = await client.send(new DescribeTasksCommand({ tasks: ['a'] }))
    expect(tasks).toEqual([{ createdAt, version: 3 }])
    expect(failures).toEqual([])
  })

  it('knows our errors by their class', async () => {
    const { client } = await start({
      DescribeClusters() {
        throw clusterNotFound()
      },
      RunTask() {
        throw conflict('Taken.', ['arn:1'])
      },
    })
    const notFound = await client.send(new DescribeClustersCommand({})).catch((error: unknown) => error)
    expect(notFound).toBeInstanceOf(ClusterNotFoundException)
    expect(notFound).toMatchObject({ message: 'Cluster not found.', $fault: 'client' })
    const taken = await client.send(new RunTaskCommand({ taskDefinition: 'a' })).catch((error: unknown) => error)
    expect(taken).toBeInstanceOf(ConflictException)
    expect(taken).toMatchObject({ resourceIds: ['arn:1'] })
  })

  it('is told which operation Berth does not have, and why', async () => {
    const { client } = await start({})
    const command = new UpdateContainerAgentCommand({ containerInstance: 'c' })
    const error = await client.send(command).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(UnsupportedFeatureException)
    expect((error as Error).message).toMatch(/^The UpdateContainerAgent operation is not supported by Berth\. .+agent/)
  })

  it('tries again when the store is away', async () => {
    let calls = 0
    const { endpoint } = await start({
      DescribeClusters() {
        calls++
        if (calls === 1) throw storeUnavailable()
        return { clusters: [], failures: [] }
      },
    })
    const { host, port, region, accessKeyId, secretAccessKey } = endpoint
    const client = new ECSClient({
      endpoint: `http://${host}:${port}`,
      region,
      credentials: { accessKeyId, secretAccessKey },
    })
    cleanUps.push(() => client.destroy())
    expect((await client.send(new DescribeClustersCommand({}))).clusters).toEqual([])
    expect(calls).toBe(2)
  })

  it('is refused with a wrong secret or an unknown key', async () => {
    const { endpoint } = await start({})
    const refusal = (overrides: { secretAccessKey?: string; accessKeyId?: string }) =>
      clientOf(endpoint, overrides)
        .send(new DescribeClustersCommand({}))
        .catch((error: unknown) => error)
    expect(await refusal({ secretAccessKey: 'wrong' })).toMatchObject({ name: 'InvalidSignatureException' })
    expect(await refusal({ accessKeyId: 'AKIDOTHER' })).toMatchObject({ name: 'UnrecognizedClientException' })
  })

  it('walks through pages', async () => {
    const arns = Array.from({ length: 250 }, (_, i) => `task/${String(i).padStart(3, '0')}`)
    const { client } = await start({
      ListTasks(input) {
        const { items, ...rest } = takePage('ListTasks', input, arns, (arn) => arn)
        return { taskArns: items, ...rest }
      },
    })
    const pages: number[] = []
    for await (const { taskArns } of paginateListTasks({ client }, {})) pages.push(taskArns?.length ?? 0)
    expect(pages).toEqual([100, 100, 50])
  })
})
