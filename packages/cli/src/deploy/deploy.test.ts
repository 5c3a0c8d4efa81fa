import { virtualClock } from '@berth/shared/virtual-clock.ts'
import { describe, expect, test } from 'vitest'
import { type EcsClient, EcsError, UnreachableError } from '../ecs/ecs-client.ts'
import { deploy, type DeployInput } from './deploy.ts'
import type { DeploymentAnswer } from './deployment-view.ts'

const arnOf = (resource: string) => `arn:aws:ecs:us-east-1:123456789012:${resource}`
const oldDeployment = 'ecs-svc/1'
const newDeployment = 'ecs-svc/2'

interface Moment {
  /** Running and pending tasks of the new revision; nothing where it is given up. */
  readonly fresh?: readonly [running: number, pending: number]
  readonly old?: readonly [running: number, pending: number]
  readonly failedTasks?: number
  readonly status?: string
  readonly statusReason?: string
  readonly rollback?: { readonly reason: string }
  readonly lifecycleStage?: string
  readonly lifecycleHookDetails?: readonly object[]
  /** What there is instead of an answer. */
  readonly fails?: Error
}

const deployment = (
  id: string,
  revision: number,
  status: string,
  [running, pending]: readonly [number, number],
): DeploymentAnswer => ({
  id,
  status,
  taskDefinition: arnOf(`task-definition/web:${revision}`),
  desiredCount: 4,
  runningCount: running,
  pendingCount: pending,
})

interface World {
  /** How the deployment stands at each look; the last one stays. */
  readonly moments: readonly Moment[]
  readonly image?: string
  readonly stoppedTasks?: readonly object[]
  readonly explanation?: object
  readonly service?: object
}

/** Deploys in a world that only plays, on virtual time. */
async function deployed(world: World, input: Partial<DeployInput> = {}) {
  const clock = virtualClock()
  const calls: [operation: string, body: Record<string, unknown>][] = []
  const out: string[] = []
  const err: string[] = []
  let looks = 0
  let moment: Moment = {}
  const service = (more: Moment, updated: boolean) => ({
    serviceName: 'web',
    clusterArn: arnOf('cluster/default'),
    status: 'ACTIVE',
    desiredCount: 4,
    taskDefinition: arnOf('task-definition/web:1'),
    currentServiceDeployment: arnOf('service-deployment/default/web/sd'),
    deployments: [
      ...(updated && more.fresh
        ? [
            {
              ...deployment(newDeployment, 2, more.rollback ? 'ACTIVE' : 'PRIMARY', more.fresh),
              failedTasks: more.failedTasks ?? 0,
            },
          ]
        : []),
      deployment(oldDeployment, 1, updated && more.fresh && !more.rollback ? 'ACTIVE' : 'PRIMARY', more.old ?? [0, 0]),
    ],
    ...world.service,
  })
  const answers: Record<string, (body: Record<string, unknown>) => object> = {
    DescribeServices: () => ({ services: [service(moment, looks > 0)] }),
    DescribeTaskDefinition: () => ({
      taskDefinition: {
        taskDefinitionArn: arnOf('task-definition/web:1'),
        family: 'web',
        containerDefinitions: [{ name: 'app', image: world.image ?? 'web:1' }],
      },
      tags: [],
    }),
    RegisterTaskDefinition: () => ({ taskDefinition: { taskDefinitionArn: arnOf('task-definition/web:2') } }),
    UpdateService: () => ({ service: service({ fresh: [0, 0], old: [4, 0] }, true) }),
    DescribeServiceDeployments: () => {
      moment = world.moments[Math.min(looks, world.moments.length - 1)] ?? {}
      looks += 1
      if (moment.fails) throw moment.fails
      const { status = 'IN_PROGRESS', statusReason, rollback, lifecycleStage, lifecycleHookDetails } = moment
      return {
        serviceDeployments: [
          {
            status,
            statusReason,
            rollback,
            lifecycleStage,
            lifecycleHookDetails,
            deploymentCircuitBreaker: { failureCount: moment.failedTasks ?? 0, threshold: 3 },
          },
        ],
      }
    },
    ListTasks: () => ({ taskArns: (world.stoppedTasks ?? []).map((_, at) => arnOf(`task/default/t${at}`)) }),
    DescribeTasks: () => ({ tasks: world.stoppedTasks ?? [] }),
    ExplainService: () => world.explanation ?? { waiting: [] },
  }
  const client = (async (operation: string, body: object) => {
    await Promise.resolve()
    const sent = JSON.parse(JSON.stringify(body)) as Record<string, unknown>
    calls.push([operation, sent])
    const answer = answers[operation]
    if (answer === undefined) throw new Error(`nobody answers ${operation}`)
    return answer(sent)
  }) as EcsClient
  const done = deploy(
    { ecs: client, berth: client },
    { service: 'web', image: 'web:2', timeout: 60_000, wait: true, ...input },
    { clock, out: (line) => void out.push(line), err: (line) => void err.push(line) },
  )
  const settled = done.then(
    (code) => ({ code, error: undefined }),
    (error: unknown) => ({ code: undefined, error: error as Error }),
  )
  await clock.advanceBy(2 * 60_000)
  const result = await settled
  return {
    ...result,
    out,
    err,
    calls,
    called: (name: string) => calls.filter(([operation]) => operation === name).map(([, body]) => body),
  }
}

const started: Moment = { fresh: [0, 4], old: [4, 0] }
const half: Moment = { fresh: [2, 2], old: [4, 0] }
const completed: Moment = { fresh: [4, 0], status: 'SUCCESSFUL' }

const failedTask = (name: string, stoppedAt: number) => ({
  taskArn: arnOf(`task/default/${name}`),
  startedBy: newDeployment,
  stopCode: 'TaskFailedToStart',
  stoppedReason: 'Task failed to start',
  stoppedAt,
  containers: [{ name: 'app', reason: 'CannotPullContainerError: no such image' }],
})

describe('berth deploy', () => {
  test('registers the image, updates the service and shows each change once', async () => {
    const { code, out, err, called } = await deployed({ moments: [started, half, half, half, completed] })
    expect(code).toBe(0)
    expect(called('RegisterTaskDefinition')).toEqual([
      { family: 'web', containerDefinitions: [{ name: 'app', image: 'web:2' }] },
    ])
    expect(called('UpdateService')).toEqual([{ service: 'web', taskDefinition: arnOf('task-definition/web:2') }])
    expect(err).toEqual([
      'web:2 is web:1 with web:2 in app (before: web:1).',
      '   0.0 s  web:2: 0 of 4 running, 4 pending; web:1: 4 running',
      '   0.3 s  web:2: 2 of 4 running, 2 pending; web:1: 4 running',
      '   1.0 s  web:2: 4 of 4 running',
    ])
    expect(out).toEqual(['web runs web:2 with web:2: 4 tasks, after 1.0 s.'])
  })

  test('returns at once where nobody waits', async () => {
    const { code, out, called } = await deployed({ moments: [started] }, { wait: false })
    expect(code).toBe(0)
    expect(out).toEqual([
      'web:2 is web:1 with web:2 in app (before: web:1). Its deployment has begun: berth history web shows it.',
    ])
    expect(called('DescribeServiceDeployments')).toEqual([])
  })

  test('deploys the revision that there is anew where the container has the image already', async () => {
    const { called, err } = await deployed({ moments: [completed], image: 'web:2' })
    expect(called('RegisterTaskDefinition')).toEqual([])
    expect(called('UpdateService')).toEqual([
      { service: 'web', taskDefinition: arnOf('task-definition/web:1'), forceNewDeployment: true },
    ])
    expect(err[0]).toBe('web:1 has web:2 in app already, and is deployed anew.')
  })

  test('ends with 1 and the reasons when it is rolled back', async () => {
    const rollback = { reason: 'the breaker tripped' }
    const { code, out, err } = await deployed({
      moments: [
        started,
        { ...started, failedTasks: 2 },
        { fresh: [0, 0], old: [4, 0], failedTasks: 3, rollback, status: 'ROLLBACK_IN_PROGRESS' },
        { old: [4, 0], failedTasks: 3, rollback, status: 'ROLLBACK_SUCCESSFUL', statusReason: 'the breaker tripped' },
      ],
      stoppedTasks: [failedTask('b', 2), failedTask('a', 1), { ...failedTask('c', 3), startedBy: oldDeployment }],
    })
    expect(code).toBe(1)
    expect(out).toEqual([])
    expect(err.slice(2)).toEqual([
      '   0.3 s  task a failed (the circuit breaker trips at 3): app: CannotPullContainerError: no such image',
      '   0.3 s  task b failed (the circuit breaker trips at 3): app: CannotPullContainerError: no such image',
      '   0.5 s  web:2: 0 of 4 running; web:1: 4 running',
      '   0.5 s  goes back to web:1: the breaker tripped',
      'The deployment of web:2 failed and was rolled back to web:1, after 0.8 s: the breaker tripped',
      '  2 tasks, such as b: app: CannotPullContainerError: no such image',
      'Where its time went: berth history web',
    ])
  })

  test('tells the exit code of a container, and of a task only what it says itself where its containers say nothing', async () => {
    const { err } = await deployed({
      moments: [{ fresh: [0, 0], old: [4, 0], failedTasks: 3, status: 'STOPPED', statusReason: 'stopped by user' }],
      stoppedTasks: [
        { ...failedTask('a', 1), stopCode: 'EssentialContainerExited', containers: [{ name: 'app', exitCode: 3 }] },
        {
          ...failedTask('b', 2),
          stopCode: 'ServiceSchedulerInitiated',
          stoppedReason: 'Task failed container health checks',
          containers: [{ name: 'app', exitCode: 0 }],
        },
        { ...failedTask('c', 3), stopCode: 'ServiceSchedulerInitiated', stoppedReason: 'Scaling activity' },
      ],
    })
    expect(err.slice(-4)).toEqual([
      'The deployment of web:2 failed after 0.0 s: stopped by user',
      '  1 task, such as a: app: exit code 3',
      '  1 task, such as b: Task failed container health checks',
      'Where its time went: berth history web',
    ])
  })

  test('says which hosts come closest when tasks find no room, and leaves the deployment to go on when the time is over', async () => {
    const explanation = {
      waiting: [{ kind: 'room', tasks: 2 }],
      explanation: {
        considered: 1,
        suitable: 0,
        removed: [{ rule: 'cpu', hosts: 1, text: 'without enough CPU' }],
        closest: [{ host: { name: 'host-1', zone: '' }, lacks: ['cpu: needs 256, has 0'] }],
      },
    }
    const { code, err, called } = await deployed(
      { moments: [{ fresh: [2, 0], old: [4, 0] }], explanation },
      { timeout: 5000 },
    )
    expect(code).toBe(1)
    expect(called('ExplainService').length).toBeLessThan(6)
    expect(err.filter((line) => line.includes('waits for room') || line.includes('wait for room'))).toEqual([
      '   1.0 s  2 tasks wait for room.',
      '  2 tasks wait for room.',
    ])
    expect(err.slice(-8)).toEqual([
      'The deployment of web:2 has not ended after 5.0 s.',
      '  2 tasks wait for room.',
      '  Of 1 host none can take one more. They are:',
      '    1 without enough CPU',
      '  The closest lack:',
      '    host-1: cpu: needs 256, has 0',
      'It goes on. web:2: 2 of 4 running; web:1: 4 running.',
      'Where its time went: berth history web',
    ])
  })

  test('says what a pause waits for', async () => {
    const paused = {
      lifecycleStage: 'PRE_SCALE_UP',
      lifecycleHookDetails: [{ hookId: 'h1', status: 'AWAITING_ACTION' }],
    }
    const { err } = await deployed({ moments: [{ ...started, ...paused }, { ...started, ...paused }, completed] })
    expect(err.filter((line) => line.includes('PRE_SCALE_UP'))).toEqual([
      '   0.0 s  waits at PRE_SCALE_UP for continue-service-deployment, hook h1',
    ])
  })

  test('asks again while the control plane is away, and says so once', async () => {
    const away = { fails: new UnreachableError('nobody') }
    const taking = { fails: new EcsError('DescribeServices', 'ServerException', 'no leader') }
    const { code, err } = await deployed({ moments: [started, away, taking, away, completed] })
    expect(code).toBe(0)
    expect(err.filter((line) => line.includes('does not answer'))).toHaveLength(1)
  })

  test('gives up on an error that will not pass', async () => {
    const gone = { fails: new EcsError('DescribeServices', 'ClusterNotFoundException', 'Cluster not found.') }
    expect((await deployed({ moments: [gone] })).error?.message).toContain('Cluster not found.')
  })

  test('speaks JSON, and keeps progress off standard output', async () => {
    const { code, out } = await deployed(
      {
        moments: [{ fresh: [0, 0], failedTasks: 3, status: 'STOPPED', statusReason: 'broken' }],
        stoppedTasks: [failedTask('a', 1)],
      },
      { json: true },
    )
    expect(code).toBe(1)
    expect(JSON.parse(out.join('\n'))).toMatchObject({
      service: 'web',
      cluster: 'default',
      container: 'app',
      image: 'web:2',
      taskDefinition: arnOf('task-definition/web:2'),
      previousTaskDefinition: arnOf('task-definition/web:1'),
      deploymentId: newDeployment,
      status: 'STOPPED',
      reason: 'broken',
      timedOut: false,
      failedTasks: [{ taskId: 'a', stopCode: 'TaskFailedToStart' }],
    })
  })

  test.each([
    [{ status: 'INACTIVE' }, 'There is no service web in the cluster default.'],
    [{ deploymentController: { type: 'EXTERNAL' } }, 'The service web is deployed by task sets'],
  ])('refuses a service that is %j, and registers nothing', async (service, message) => {
    const { error, called } = await deployed({ moments: [started], service })
    expect(error?.message).toContain(message)
    expect(called('RegisterTaskDefinition')).toEqual([])
  })
})
