import { shortName, taskDefinitionArn } from '@berth/shared/arn.ts'
import { describe, expect, test } from 'vitest'
import { container, definitionOf } from '../ecs/testing/definitions.ts'
import { deploymentRecord, hostRecord, serviceRecord, taskRecord } from '../ecs/testing/records.ts'
import { hostIds, testCluster } from '../ecs/testing/test-cluster.ts'
import { testScope } from '../ecs/testing/test-control-plane.ts'
import { berthCaller } from './testing/call-berth.ts'

async function cluster(options: Parameters<typeof testCluster>[0] = {}) {
  const plane = await testCluster(options)
  const ask = berthCaller(plane.deps, () => plane.context())
  const run = async (count: number, more: object = {}) => {
    const { tasks = [] } = await plane.call('RunTask', { taskDefinition: 'web', count, ...more })
    return tasks.map(({ taskArn = '' }) => shortName(taskArn))
  }
  return { ...plane, ask, run }
}

const service = (more: object = {}) => ({ serviceName: 'shop', taskDefinition: 'web', desiredCount: 3, ...more })

describe("a cluster's default strategy", () => {
  test('is told by explanations and counts in plans, also for tasks that lose their host', async () => {
    const { ask, run, call } = await cluster({ hosts: 3 })
    const settings = [{ name: 'berth.defaultPlacementStrategy' as never, value: 'spread(instanceId),binpack(cpu)' }]
    await call('UpdateClusterSettings', { cluster: 'default', settings })
    const tasks = await run(3)
    const { placement } = await ask('ExplainTask', { task: tasks[0] })
    expect(placement?.steps.map(({ step }) => step)).toEqual(['spread(instanceId)', 'binpack(cpu)'])
    const { hosts } = await ask('PlanTasks', { taskDefinition: 'web', count: 3 })
    expect(hosts.map(({ newTasks }) => newTasks)).toEqual([1, 1, 1])
    await run(3)
    const without = await ask('PlanTasks', { withoutHosts: [hostIds[0]] })
    expect(without.hosts.map(({ movedTasks }) => movedTasks)).toEqual([0, 1, 1])
  })
})

describe('a task that waits', () => {
  test('is explained by what it lacks and who is ahead of it, for the hosts as they are', async () => {
    const { ask, call, run, put } = await cluster({ hosts: 1 })
    await run(3)
    const queue = { key: 'berth:queue', value: 'enabled' }
    const gang = [queue, { key: 'berth:gang', value: 'true' }, { key: 'berth:queue-timeout', value: '1h' }]
    const [member = ''] = await run(2, { tags: gang })
    const [behind = ''] = await run(1, { tags: [queue, { key: 'berth:priority', value: '-2' }] })
    const first = await ask('ExplainTask', { task: member })
    expect(first.task).toMatchObject({ lastStatus: 'PROVISIONING' })
    expect(first.waiting).toMatchObject({ priority: 0, ahead: 0, gang: 2, fitting: 1 })
    expect(first.waiting?.until).toBe((first.waiting?.since ?? 0) + 3600)
    expect(first.waiting?.explanation?.closest[0]?.lacks).toEqual(['cpu: needs 256, has 0', 'memory: needs 512, has 0'])
    expect((await ask('ExplainTask', { task: behind })).waiting).toMatchObject({ priority: -2, ahead: 2, fitting: 1 })
    await put('hosts', hostIds[0] ?? '', hostRecord(hostIds[0] ?? '', { status: 'DRAINING' }))
    const { waiting } = await ask('ExplainTask', { task: behind })
    expect(waiting?.explanation?.removed).toEqual([{ rule: 'status', hosts: 1, text: 'not ACTIVE' }])
    await call('StopTask', { task: behind })
    expect(await ask('ExplainTask', { task: behind })).not.toHaveProperty('waiting')
  })

  test('has its wait in its history', async () => {
    const { ask, run } = await cluster({ hosts: 1 })
    await run(4)
    const tags = [{ key: 'berth:queue', value: 'enabled' }]
    const [task = ''] = await run(1, { tags })
    const { steps } = await ask('GetTaskHistory', { task })
    expect(steps).toMatchObject([{ status: 'PROVISIONING', text: 'waits for room' }])
  })
})

describe('ExplainTask', () => {
  test('tells how many hosts each rule removed, and why the one that is left was taken', async () => {
    const { ask, run, put } = await cluster({ hosts: 3 })
    await put('hosts', hostIds[2] ?? '', hostRecord(hostIds[2] ?? '', { agentConnected: false }))
    await run(4, { placementStrategy: [{ type: 'binpack', field: 'memory' }] })
    const [task = ''] = await run(1, { placementStrategy: [{ type: 'binpack', field: 'memory' }] })
    const { placement, takes } = await ask('ExplainTask', { task })
    expect(placement).toEqual({
      considered: 3,
      suitable: 1,
      removed: [
        { rule: 'agent', hosts: 1, text: 'agent not connected' },
        { rule: 'cpu', hosts: 1, text: 'without enough CPU' },
      ],
      steps: [{ step: 'binpack(memory)', value: 2048, text: 'it had the least memory left that was enough: 2048 MiB' }],
    })
    expect(takes).toMatchObject({ cpu: 256, memory: 512, ports: ['49153 (picked)'] })
  })

  test('tells of a spread what it counted', async () => {
    const { ask, run } = await cluster()
    const strategy = { placementStrategy: [{ type: 'spread', field: 'attribute:ecs.availability-zone' }] }
    await run(1, strategy)
    const [task = ''] = await run(1, strategy)
    const { placement, task: summary } = await ask('ExplainTask', { task })
    expect(placement?.steps[0]?.text).toBe(`its zone ${summary.host?.zone} had the fewest tasks of family:web: 0`)
  })

  test('tells of a host that was named', async () => {
    const { ask, call } = await cluster()
    const { tasks = [] } = await call('StartTask', { taskDefinition: 'web', containerInstances: [hostIds[0] ?? ''] })
    const answer = await ask('ExplainTask', { task: tasks[0]?.taskArn })
    expect(answer.placement).toEqual({ considered: 1, namedBy: 'user', steps: [] })
    expect(answer.task.host?.name).toBe(hostIds[0])
  })

  test('refuses what is not there and what is no input', async () => {
    const { ask } = await cluster()
    await expect(ask('ExplainTask', { task: 'f'.repeat(32) })).rejects.toMatchObject({
      code: 'InvalidParameterException',
      message: 'The referenced task was not found.',
    })
    await expect(ask('ExplainTask', { task: 'x', cluster: 'none' })).rejects.toMatchObject({
      code: 'ClusterNotFoundException',
    })
    await expect(ask('ExplainTask', {})).rejects.toThrow(/^task: /)
    await expect(ask('ExplainTask', { task: 'x', color: 'red' })).rejects.toThrow(/color/)
  })
})

describe('RunTask that finds no room', () => {
  test('says of the closest hosts what each lacks', async () => {
    const { call, run } = await cluster({ hosts: 1 })
    await run(3)
    await call('RegisterTaskDefinition', definitionOf([container({ cpu: 512, memory: 512 })], { family: 'big' }))
    const { failures } = await call('RunTask', { taskDefinition: 'big' })
    expect(failures).toMatchObject([{ reason: 'RESOURCE:CPU', detail: 'cpu: needs 512, has 256' }])
  })
})

describe('ExplainService', () => {
  test('says what the missing tasks wait for, as things stand', async () => {
    const { ask, call, run } = await cluster({ hosts: 1 })
    await run(3)
    await call('CreateService', service())
    const answer = await ask('ExplainService', { service: 'shop' })
    expect(answer).toMatchObject({
      service: { taskDefinition: 'web:1', desiredCount: 3, runningCount: 0 },
      missing: 3,
      waiting: [{ kind: 'room', tasks: 2 }],
      explanation: {
        considered: 1,
        suitable: 0,
        removed: [{ rule: 'cpu', hosts: 1 }],
        closest: [{ host: { name: hostIds[0] }, lacks: ['cpu: needs 256, has 0', 'memory: needs 512, has 0'] }],
      },
    })
  })

  test('changes nothing, and has nothing to explain where nothing is missing', async () => {
    const { ask, call, cell } = await cluster()
    await call('CreateService', service({ desiredCount: 0 }))
    expect(await ask('ExplainService', { service: 'shop' })).toMatchObject({ missing: 0, waiting: [], tasks: [] })
    await call('UpdateService', { service: 'shop', desiredCount: 4 })
    const room = hostIds.map((id) => cell.fleet.hosts.roomOn(id))
    expect(await ask('ExplainService', { service: 'shop' })).toMatchObject({ waiting: [{ kind: 'turn', tasks: 4 }] })
    expect(hostIds.map((id) => cell.fleet.hosts.roomOn(id))).toEqual(room)
    expect(cell.tables.tasks.size).toBe(0)
  })

  test('tells of a throttle and of a deployment that failed', async () => {
    const { ask, put, clock } = await cluster()
    const deployment = deploymentRecord({ rolloutState: 'FAILED', rolloutStateReason: 'broken', failedTasks: 4 })
    const deployments = [{ ...deployment, notBefore: clock.now() + 5000 }]
    await put('services', 'default/shop', serviceRecord('shop', { deployments }))
    const stopped = { lastStatus: 'STOPPED', deploymentId: deployment.id, serviceName: 'shop' } as const
    for (const [id, stoppedAt, stoppedReason] of [
      ['1', 2, 'the last'],
      ['2', 1, 'the first'],
    ] as const)
      await put('tasks', id.repeat(32), taskRecord(id.repeat(32), { ...stopped, stoppedAt, stoppedReason }))
    const { waiting, failing } = await ask('ExplainService', { service: 'shop' })
    expect(waiting).toEqual([
      { kind: 'failed-deployment', reason: 'broken' },
      { kind: 'throttle', until: (clock.now() + 5000) / 1000 },
    ])
    expect(failing).toEqual({ tasks: 4, reason: 'the last' })
  })

  test('tells of a daemon which hosts have it and which cannot', async () => {
    const { ask, call, put, run } = await cluster({ hosts: 3 })
    await call('CreateService', { serviceName: 'shop', taskDefinition: 'web', schedulingStrategy: 'DAEMON' })
    const onFirst = { hostId: hostIds[0] ?? '', group: 'service:shop', serviceName: 'shop' }
    await put('tasks', '1'.repeat(32), taskRecord('1'.repeat(32), onFirst))
    await run(4, {
      placementConstraints: [{ type: 'memberOf', expression: 'attribute:ecs.availability-zone == zone-1' }],
    })
    const { explanation, waiting } = await ask('ExplainService', { service: 'shop' })
    expect(explanation?.removed.map(({ rule, hosts }) => [rule, hosts])).toEqual([
      ['distinctInstance', 1],
      ['cpu', 1],
    ])
    expect(waiting).toEqual([{ kind: 'turn', tasks: 1 }])
  })
})

describe('PlanTasks', () => {
  test('says where tasks would go and how full hosts become, and starts none', async () => {
    const { ask, cell } = await cluster()
    const plan = await ask('PlanTasks', { taskDefinition: 'web', count: 6 })
    expect(plan).toMatchObject({ placed: 6, unplaced: 0, fits: true, takes: { cpu: 256, memory: 512 } })
    expect(plan.hosts.map(({ newTasks }) => newTasks).toSorted((a, b) => a - b)).toEqual([2, 4])
    expect(plan.total).toEqual({
      before: { cpu: 0, cpuTotal: 2048, memory: 0, memoryTotal: 4096, tasks: 0, hosts: 2 },
      after: { cpu: 1536, cpuTotal: 2048, memory: 3072, memoryTotal: 4096, tasks: 6, hosts: 2 },
    })
    expect(cell.tables.tasks.size).toBe(0)
    expect(cell.fleet.hosts.taskCount).toBe(0)
  })

  test('what it plans is what RunTask then does', async () => {
    const { ask, run, cell } = await cluster({ hosts: 3 })
    const rules = {
      placementStrategy: [{ type: 'spread', field: 'instanceId' }],
      placementConstraints: [{ type: 'memberOf', expression: 'attribute:ecs.availability-zone != zone-0' }],
    }
    const plan = await ask('PlanTasks', { taskDefinition: 'web', count: 5, ...rules })
    await run(5, rules)
    const planned = plan.hosts.map(({ host, newTasks }) => [shortName(host.containerInstanceArn), newTasks] as const)
    const running = Map.groupBy(cell.tables.tasks.values(), ({ hostId = '' }) => hostId)
    expect(new Map(planned)).toEqual(new Map(Array.from(running, ([id, tasks]) => [id, tasks.length])))
  })

  test('says what does not fit, and that hosts of the same kind would help', async () => {
    const { ask } = await cluster()
    const plan = await ask('PlanTasks', { taskDefinition: 'web', count: 10 })
    expect(plan).toMatchObject({ placed: 8, unplaced: 2, fits: false, explanation: { considered: 2, suitable: 0 } })
    const grown = await ask('PlanTasks', {
      taskDefinition: 'web',
      count: 10,
      addHosts: [{ cpu: 1024, memory: 1024, count: 1 }],
    })
    expect(grown).toMatchObject({ placed: 10, fits: true, total: { after: { hosts: 3 } } })
    const added = grown.hosts.find(({ change }) => change === 'added')
    expect(added).toMatchObject({ host: { name: 'new-1', zone: 'zone-0' }, newTasks: 2, after: { tasks: 2 } })
    expect(added?.before).toBeUndefined()
  })

  test('says whether the tasks of a host that is taken out find room elsewhere', async () => {
    const { ask, run, cell } = await cluster()
    await run(6, { placementStrategy: [{ type: 'spread', field: 'instanceId' }] })
    const plan = await ask('PlanTasks', { withoutHosts: [hostIds[0]] })
    expect(plan).toMatchObject({
      fits: false,
      displaced: {
        tasks: 3,
        placed: 1,
        unplaced: 2,
        groups: [{ group: 'family:web', taskDefinition: 'web:1', explanation: { considered: 1, suitable: 0 } }],
      },
      total: { before: { hosts: 2, tasks: 6 }, after: { hosts: 1, tasks: 4 } },
    })
    expect(plan.hosts.map(({ change, movedTasks }) => [change, movedTasks])).toEqual([
      ['removed', 0],
      [undefined, 1],
    ])
    expect(cell.fleet.hosts.size).toBe(2)
    expect(cell.fleet.hosts.taskCount).toBe(6)
  })

  test("moves a service by the service's own rules, and leaves daemons to their host", async () => {
    const { ask, put } = await cluster()
    const distinct = { placementConstraints: [{ type: 'distinctInstance' as const }] }
    await put('services', 'default/shop', serviceRecord('shop', distinct))
    await put('services', 'default/eye', serviceRecord('eye', { schedulingStrategy: 'DAEMON' }))
    const [first = '', second = ''] = hostIds
    const deploymentId = deploymentRecord().id
    for (const [id, hostId, name] of [
      ['1', first, 'shop'],
      ['2', second, 'shop'],
      ['3', first, 'eye'],
    ] as const)
      await put(
        'tasks',
        id.repeat(32),
        taskRecord(id.repeat(32), { hostId, serviceName: name, group: `service:${name}`, deploymentId }),
      )
    const { displaced } = await ask('PlanTasks', { withoutHosts: [first] })
    expect(displaced).toMatchObject({ tasks: 1, unplaced: 1, ending: 1 })
    expect(displaced?.groups[0]?.explanation?.removed).toMatchObject([{ rule: 'distinctInstance', hosts: 1 }])
  })

  test.each([
    [{}, 'Nothing is planned'],
    [{ taskDefinition: 'web', count: -1 }, 'count: '],
    [{ taskDefinition: 'nothing' }, 'TaskDefinition not found.'],
    [{ taskDefinition: 'web', withoutHosts: ['nobody'] }, 'There is no host nobody'],
    [{ taskDefinition: 'web', addHosts: [{ cpu: 1 }] }, 'addHosts[0].memory: '],
    [{ taskDefinition: 'web', placementConstraints: [{ type: 'memberOf', expression: 'a ==' }] }, 'Invalid expression'],
  ])('refuses %j', async (input, message) => {
    const { ask } = await cluster()
    await expect(ask('PlanTasks', input)).rejects.toThrow(message)
  })
})

describe('histories', () => {
  test('of a task: its times in their order, with what began then', async () => {
    const { ask, put } = await cluster()
    const id = '1'.repeat(32)
    const times = { createdAt: 1000, activatingAt: 1100, pullStartedAt: 1200, pullStoppedAt: 3000, startedAt: 3500 }
    await put('tasks', id, taskRecord(id, { hostId: hostIds[0] ?? '', ...times }))
    const { steps } = await ask('GetTaskHistory', { task: id })
    expect(steps.map(({ at, status }) => [at, status])).toEqual([
      [1, 'PENDING'],
      [1.1, 'ACTIVATING'],
      [1.2, undefined],
      [3, undefined],
      [3.5, 'RUNNING'],
    ])
    expect(steps[0]?.text).toBe(`placed on ${hostIds[0]}`)
  })

  test('of a service: when the first and last of its tasks got how far, newest deployment first', async () => {
    const { ask, put } = await cluster()
    const old = { id: 'ecs-svc/1', taskDefinitionArn: taskDefinitionArn(testScope, 'web', 1), createdAt: 1000 }
    const present = deploymentRecord({
      id: 'ecs-svc/2',
      createdAt: 10_000,
      desiredCount: 2,
      steps: [['COMPLETED', 19_000]],
    })
    await put(
      'services',
      'default/shop',
      serviceRecord('shop', {
        deployments: [present],
        pastDeployments: [
          {
            ...old,
            desiredCount: 1,
            rolloutStateReason: '',
            steps: [
              ['COMPLETED', 2000],
              ['REPLACED', 10_000],
            ],
          },
        ],
      }),
    )
    const tasks = [
      { createdAt: 1100, startedAt: 1500, stoppingAt: 15_000, stoppedAt: 18_000, deploymentId: 'ecs-svc/1' },
      { createdAt: 10_100, pullStoppedAt: 10_200, startedAt: 12_000, deploymentId: 'ecs-svc/2' },
      { createdAt: 10_100, pullStoppedAt: 10_400, startedAt: 14_000, deploymentId: 'ecs-svc/2' },
      {
        createdAt: 10_100,
        pullStoppedAt: 11_000,
        stoppedAt: 11_000,
        lastStatus: 'STOPPED' as const,
        desiredStatus: 'STOPPED' as const,
        stopCode: 'TaskFailedToStart' as const,
        stoppedReason: 'no such image',
        deploymentId: 'ecs-svc/2',
      },
      { createdAt: 10_100, pullStoppedAt: 11_000, desiredStatus: 'STOPPED' as const, deploymentId: 'ecs-svc/2' },
      { createdAt: 30_000, startedAt: 31_000, deploymentId: 'ecs-svc/2' },
    ]
    for (const [index, task] of tasks.entries()) {
      const id = String(index).repeat(32)
      await put('tasks', id, taskRecord(id, { serviceName: 'shop', ...task }))
    }
    const { deployments } = await ask('GetServiceHistory', { service: 'shop' })
    expect(deployments.map(({ id, state }) => [id, state])).toEqual([
      ['ecs-svc/2', 'COMPLETED'],
      ['ecs-svc/1', 'REPLACED'],
    ])
    expect(deployments[0]?.steps.map(({ at, text }) => `${at} ${text}`)).toEqual([
      '10 began: web:1, 2 tasks wanted',
      '10.1 4 tasks placed',
      '10.2 first task with its image',
      '10.4 2 tasks with its image',
      `11 task ${'3'.repeat(32)} failed: no such image`,
      '12 first task RUNNING',
      '14 2 tasks RUNNING',
      '15 1 task of an older deployment told to stop',
      '18 1 task of an older deployment STOPPED',
      '19 completed',
      '30 1 task started since',
    ])
  })
})
