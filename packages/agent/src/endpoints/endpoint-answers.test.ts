import { silentLog } from '@berth/shared/log.ts'
import { seededRandom } from '@berth/shared/random.ts'
import { describe, expect, test } from 'vitest'
import { engineLab } from '../engine/testing/engine-lab.ts'
import { awsvpc, container, task, taskArnOf } from '../engine/testing/task-builder.ts'
import { containerEndpointId } from './endpoint-address.ts'
import { answerContainer, answerIntrospection, type EndpointDeps } from './endpoint-answers.ts'
import type { ProtectionChange, ProtectionState } from './task-protection.ts'

const key = 'ab'.repeat(32)
/** What the tests look at of an answer. */
interface Shown {
  readonly Networks: readonly { readonly IPv4Addresses: readonly string[] }[]
  readonly Containers: readonly { readonly Name: string }[]
  readonly Tasks: readonly { readonly Arn: string }[]
  readonly Labels: Readonly<Record<string, string>>
  readonly failure: unknown
}

const pending = new Promise<never>(() => {})

/** Two tasks that run, one with an address of its own and a fetched secret, and what their containers may ask. */
async function endpoints(
  protection: (change: ProtectionChange | undefined) => Promise<ProtectionState> = () => pending,
) {
  const lab = engineLab({
    resources: () =>
      Promise.resolve({
        environment: [{ key: 'S', value: 'hunter2' }],
        logOptions: [{ key: 'token', value: 'hunter2' }],
      }),
  })
  const logConfiguration = { driver: 'fluentd', options: [{ key: 'tag', value: 'x' }] }
  const app = container('app', { cpu: 64, memoryMib: 32, needsResources: true, logConfiguration })
  await lab.assign(
    task('shop', [app, container('side', { essential: false })], {
      ...awsvpc,
      cpu: 512,
      memoryMib: 1024,
      serviceName: 'web',
    }),
    task('other'),
  )
  await lab.after(2000)
  const deps: EndpointDeps = {
    subject: {
      tasks: () => lab.engine.tasks(),
      stats: (runtimeId) => Promise.resolve({ of: runtimeId }),
      protection: { protection: (_task, change) => protection(change) },
      host: () => ({ cluster: 'default', containerInstanceArn: 'arn:instance', version: '1' }),
    },
    key,
    zone: 'us-east-1b',
    clock: lab.clock,
    random: seededRandom(1),
    log: silentLog,
  }
  const id = containerEndpointId(key, taskArnOf('shop'), 'app')
  const ask = async (url: string, method = 'GET', body = '') =>
    answerContainer({ method, url: url.replace('ID', id), body }, deps, new AbortController().signal) as Promise<{
      status: number
      body: Shown
    }>
  const introspect = (url: string, method = 'GET') =>
    answerIntrospection({ method, url, body: '' }, deps) as { status: number; body: Shown }
  return { lab, ask, introspect }
}

describe('task metadata', () => {
  test('is of the container that asks', async () => {
    const { ask, lab } = await endpoints()
    const { status, body } = await ask('/v4/ID')
    expect(status).toBe(200)
    expect(body).toMatchObject({
      DockerId: lab.container('shop', 'app').runtimeId,
      Name: 'app',
      DockerName: 'ecs-web-7-shop-app',
      Image: 'app:1',
      DesiredStatus: 'RUNNING',
      KnownStatus: 'RUNNING',
      Limits: { CPU: 64, Memory: 32 },
      Type: 'NORMAL',
      LogDriver: 'fluentd',
      LogOptions: { tag: 'x' },
      ContainerARN: 'arn:app',
      Networks: [{ NetworkMode: 'awsvpc', AttachmentIndex: 0 }],
    })
    expect(body.Networks[0]?.IPv4Addresses).toHaveLength(1)
    expect(body.Labels).toMatchObject({ 'com.amazonaws.ecs.task-arn': taskArnOf('shop') })
  })

  test('is of its task, without the container that holds its network and without what was fetched', async () => {
    const { ask } = await endpoints()
    for (const url of ['/v4/ID/task', '/v3/ID/task', '/v4/ID/task/']) {
      const { body } = await ask(url)
      expect(body).toMatchObject({
        TaskARN: taskArnOf('shop'),
        Family: 'web',
        Revision: '7',
        ServiceName: 'web',
        KnownStatus: 'RUNNING',
        Limits: { CPU: 0.5, Memory: 1024 },
        AvailabilityZone: 'us-east-1b',
        LaunchType: 'EC2',
      })
      expect(body.Containers.map(({ Name }) => Name)).toEqual(['app', 'side'])
      expect(JSON.stringify(body)).not.toContain('hunter2')
    }
  })

  test('has what Docker counts', async () => {
    const { ask, lab } = await endpoints()
    const [app, side] = ['app', 'side'].map((name) => lab.container('shop', name).runtimeId) as [string, string]
    expect((await ask('/v4/ID/stats')).body).toEqual({ of: app })
    expect((await ask('/v4/ID/task/stats')).body).toEqual({ [app]: { of: app }, [side]: { of: side } })
  })

  test.each([
    ['/v4/00000000000000000000000000000000', 404],
    ['/v4/', 404],
    ['/', 404],
    ['/v4/ID/elsewhere', 404],
    ['/v1/tasks', 404],
    ['/api/00000000000000000000000000000000/task-protection/v1/state', 404],
  ])('%s is answered with %i', async (url, status) => {
    const { ask } = await endpoints()
    expect((await ask(url)).status).toBe(status)
  })

  test('has an id for each container that says nothing of any other', () => {
    const ids = ['a', 'b'].flatMap((name) =>
      ['k'.repeat(64), key].map((each) => containerEndpointId(each, 'arn', name)),
    )
    expect(new Set(ids).size).toBe(4)
  })
})

describe('protection of a task by itself', () => {
  const url = '/api/ID/task-protection/v1/state'

  test('is told', async () => {
    const { ask } = await endpoints(() => Promise.resolve({ enabled: false, expiresAt: 0, failure: '' }))
    expect(await ask(url)).toEqual({
      status: 200,
      body: { protection: { ProtectionEnabled: false, TaskArn: taskArnOf('shop') } },
    })
  })

  test('is set', async () => {
    const changes: unknown[] = []
    const { ask } = await endpoints((change) => {
      changes.push(change)
      return Promise.resolve({ enabled: true, expiresAt: Date.UTC(2030, 0), failure: '' })
    })
    expect((await ask(url, 'PUT', '{"ProtectionEnabled":true,"ExpiresInMinutes":60}')).body).toEqual({
      protection: {
        ProtectionEnabled: true,
        ExpirationDate: '2030-01-01T00:00:00.000Z',
        TaskArn: taskArnOf('shop'),
      },
    })
    await ask(url, 'PUT', '{"ProtectionEnabled":false}')
    expect(changes).toEqual([
      { enabled: true, expiresInMinutes: 60 },
      { enabled: false, expiresInMinutes: 0 },
    ])
  })

  test('is refused in the words of ECS', async () => {
    const { ask } = await endpoints(() => Promise.resolve({ enabled: false, expiresAt: 0, failure: 'TASK_NOT_VALID' }))
    expect((await ask(url)).body.failure).toEqual({ Arn: taskArnOf('shop'), Detail: null, Reason: 'TASK_NOT_VALID' })
    for (const body of ['', '{}', '{"ProtectionEnabled":"yes"}', '{"ProtectionEnabled":true,"ExpiresInMinutes":0}'])
      expect(await ask(url, 'PUT', body)).toMatchObject({
        status: 400,
        body: { error: { Code: 'InvalidParameterException', Arn: taskArnOf('shop') } },
      })
    expect((await ask(url, 'POST')).status).toBe(405)
  })

  test('is not waited for for ever', async () => {
    const { ask, lab } = await endpoints(
      () => new Promise((_, reject) => lab.clock.after(4_001, () => reject(new Error('too late')))),
    )
    const answer = ask(url)
    await lab.after(10_000)
    expect((await answer).status).toBe(504)
  })
})

describe('introspection', () => {
  test('names the host and its tasks', async () => {
    const { introspect, lab } = await endpoints()
    expect(introspect('/v1/metadata').body).toEqual({
      Cluster: 'default',
      ContainerInstanceArn: 'arn:instance',
      Version: 'Berth agent - v1',
    })
    const { Tasks } = introspect('/v1/tasks').body
    expect(Tasks.map(({ Arn }) => Arn)).toEqual([taskArnOf('shop'), taskArnOf('other')])
    const { runtimeId } = lab.container('other', 'app')
    for (const query of [`taskarn=${taskArnOf('other')}`, `dockerid=${runtimeId}`])
      expect(introspect(`/v1/tasks?${query}`).body).toMatchObject({
        Arn: taskArnOf('other'),
        KnownStatus: 'RUNNING',
        Containers: [{ DockerId: runtimeId, Name: 'app' }],
      })
    expect(introspect('/v1/tasks?taskarn=none').status).toBe(404)
    expect(introspect('/v1/tasks', 'PUT').status).toBe(405)
  })
})
