import { describe, expect, test } from 'vitest'
import { hostIds, inOneSubnet } from '../api/ecs/testing/test-cluster.ts'
import { clusterWithQueue } from './testing/queue-cluster.ts'

describe('a task that does not fit', () => {
  test('waits as PROVISIONING without a host, is counted as pending, and starts when one that runs has ended', async () => {
    const { run, call, end, status, task } = await clusterWithQueue({ hosts: 1 })
    const [first = ''] = await run({ cpu: 1024 })
    const [waits = ''] = await run({ cpu: 1024 })
    const { tasks = [] } = await call('DescribeTasks', { tasks: [waits] })
    expect(tasks[0]).toMatchObject({ lastStatus: 'PROVISIONING', desiredStatus: 'RUNNING', cpu: '1024' })
    expect(tasks[0]).not.toHaveProperty('containerInstanceArn')
    const { clusters = [] } = await call('DescribeClusters', {})
    expect(clusters[0]).toMatchObject({ pendingTasksCount: 2 })
    await end(first)
    expect(status(waits)).toBe('PENDING')
    expect(task(waits)).toMatchObject({ hostId: hostIds[0], availabilityZone: 'zone-0', version: 2 })
    expect(task(waits).containers[0]?.portGrants).toEqual([])
  })

  test('starts on a host that comes, that is activated again, or whose agent is back', async () => {
    const { run, status, addHost, call, put, cell, clock } = await clusterWithQueue({ hosts: 1 })
    await call('UpdateContainerInstancesState', { containerInstances: [hostIds[0] ?? ''], status: 'DRAINING' })
    const [a = '', b = ''] = await run({ cpu: 1024, count: 2 })
    expect([status(a), status(b)]).toEqual(['PROVISIONING', 'PROVISIONING'])
    await addHost('f'.repeat(32), { agentConnected: false })
    expect([status(a), status(b)]).toEqual(['PROVISIONING', 'PROVISIONING'])
    await call('UpdateContainerInstancesState', { containerInstances: [hostIds[0] ?? ''], status: 'ACTIVE' })
    await clock.settle()
    expect([status(a), status(b)].sort()).toEqual(['PENDING', 'PROVISIONING'])
    const host = cell.tables.hosts.get('f'.repeat(32))
    if (host) await put('hosts', host.id, { ...host, agentConnected: true })
    await clock.settle()
    expect([status(a), status(b)]).toEqual(['PENDING', 'PENDING'])
  })

  test('waits also where there is no host at all, and keeps its cluster from being deleted', async () => {
    const { run, call, status, addHost } = await clusterWithQueue({ hosts: 1 })
    await call('DeregisterContainerInstance', { containerInstance: hostIds[0] ?? '', force: true })
    const [id = ''] = await run({ cpu: 1024 })
    await expect(call('DeleteCluster', { cluster: 'default' })).rejects.toMatchObject({
      code: 'ClusterContainsTasksException',
    })
    await addHost('f'.repeat(32))
    expect(status(id)).toBe('PENDING')
  })

  test('is stopped by its user without ever having been on a host, and hosts are kept for it no more', async () => {
    const { run, call, status, task } = await clusterWithQueue({ hosts: 1 })
    await run({ cpu: 512 })
    const [big = ''] = await run({ cpu: 1024 })
    const [small = ''] = await run({ cpu: 256 })
    expect(status(small)).toBe('PROVISIONING')
    const { task: stopped } = await call('StopTask', { task: big, reason: 'enough' })
    expect(stopped).toMatchObject({ lastStatus: 'STOPPED', stopCode: 'UserInitiated', stoppedReason: 'enough' })
    expect(task(big)).not.toHaveProperty('hostId')
    const { tasks = [] } = await call('DescribeTasks', { tasks: [small] })
    expect(tasks[0]?.lastStatus).toBe('PENDING')
  })

  test('keeps no host for long on which a service has taken the room that it would have had', async () => {
    const { run, put, cell, status, task, clock } = await clusterWithQueue({ hosts: 1 })
    const [runs = ''] = await run({ cpu: 512 })
    const [big = ''] = await run({ cpu: 1024 })
    const [small = ''] = await run({ cpu: 256 })
    expect([status(big), status(small)]).toEqual(['PROVISIONING', 'PROVISIONING'])
    await clock.advanceBy(1000)
    const id = 'e'.repeat(32)
    await put('tasks', id, { ...task(runs), id, serviceName: 'web', claim: { ...task(runs).claim, cpu: 256 } })
    expect(cell.fleet.hosts.roomOn(hostIds[0] ?? '')).toMatchObject({ cpu: 256 })
    await clock.advanceBy(10_000)
    expect([status(big), status(small)]).toEqual(['PROVISIONING', 'PENDING'])
  })

  test('is given up when its time is over, and says what it lacked', async () => {
    const { run, task, clock } = await clusterWithQueue({ hosts: 1 })
    const [id = ''] = await run({ cpu: 2048, timeout: '10m' })
    await clock.advanceBy(9 * 60_000)
    expect(task(id).lastStatus).toBe('PROVISIONING')
    await clock.advanceBy(60_000)
    expect(task(id)).toMatchObject({
      lastStatus: 'STOPPED',
      stopCode: 'TaskFailedToStart',
      stoppedReason:
        'The task waited for room for 600 s, as long as it was to: 1 host considered, 0 suitable; 1 without enough CPU',
    })
  })

  test('starts though its definition was deregistered and is to be deleted', async () => {
    const { run, call, end, status, cell } = await clusterWithQueue({ hosts: 1 })
    const [first = ''] = await run({ cpu: 1024 })
    const [waits = ''] = await run({ cpu: 1024 })
    await call('DeregisterTaskDefinition', { taskDefinition: 'cpu-1024:1' })
    await call('DeleteTaskDefinitions', { taskDefinitions: ['cpu-1024:1'] })
    expect(cell.tables.tasks.countBy('taskDefinition', cell.tables.tasks.get(waits)?.taskDefinitionArn ?? '')).toBe(2)
    await end(first)
    expect(status(waits)).toBe('PENDING')
  })

  test('waits on FARGATE as well', async () => {
    const { call, addHost } = await clusterWithQueue({ hosts: 1, host: { offersFargate: false } })
    const { tasks = [], failures } = await call('RunTask', {
      taskDefinition: 'wide',
      launchType: 'FARGATE',
      networkConfiguration: inOneSubnet,
    })
    expect(failures).toEqual([])
    expect(tasks[0]).toMatchObject({ lastStatus: 'PROVISIONING', attachments: [{ status: 'PRECREATED' }] })
    await addHost('f'.repeat(32), { offersFargate: true })
    const { tasks: later = [] } = await call('DescribeTasks', { tasks: [tasks[0]?.taskArn ?? ''] })
    expect(later[0]).toMatchObject({ lastStatus: 'PENDING' })
  })

  test('starts when the task that its constraint asks for does', async () => {
    const { run, status, end } = await clusterWithQueue({ hosts: 2 })
    const affinity = { placementConstraints: [{ type: 'memberOf' as const, expression: 'task:group == database' }] }
    const [beside = ''] = await run({ more: affinity })
    expect(status(beside)).toBe('PROVISIONING')
    const [full = ''] = await run({ cpu: 1024, count: 2 })
    const [database = ''] = await run({ cpu: 512, more: { group: 'database' } })
    expect([status(database), status(beside)]).toEqual(['PROVISIONING', 'PROVISIONING'])
    await end(full)
    expect([status(database), status(beside)]).toEqual(['PENDING', 'PENDING'])
  })
})

describe('whether a task waits', () => {
  test('is for its tag to say, then for its cluster', async () => {
    const { call } = await clusterWithQueue({ hosts: 1 })
    const tagged = (key: string, value: string) =>
      call('RunTask', { taskDefinition: 'web', count: 5, tags: [{ key, value }] })
    const { tasks = [], failures = [] } = await tagged('berth:queue', 'disabled')
    expect([tasks.length, failures[0]?.reason]).toEqual([4, 'RESOURCE:CPU'])
    await call('UpdateClusterSettings', {
      cluster: 'default',
      settings: [{ name: 'berth.taskQueue' as never, value: 'disabled' }],
    })
    expect((await tagged('berth:queue', 'enabled')).tasks).toHaveLength(5)
    expect((await tagged('other', 'tag')).failures).toHaveLength(1)
  })

  test.each([
    ['berth:queue', 'yes'],
    ['berth:gang', 'maybe'],
    ['berth:priority', 'high'],
    ['berth:priority', '10000000'],
    ['berth:queue-timeout', 'soon'],
  ])('a tag %s=%s is refused', async (key, value) => {
    const { call } = await clusterWithQueue({ hosts: 1 })
    await expect(call('RunTask', { taskDefinition: 'web', tags: [{ key, value }] })).rejects.toMatchObject({
      code: 'InvalidParameterException',
      message: expect.stringContaining(`The value of the tag ${key} is not `),
    })
  })

  test('a request with a client token gets the same waiting tasks again', async () => {
    const { call } = await clusterWithQueue({ hosts: 1 })
    const input = { taskDefinition: 'web', count: 6, clientToken: 'once' }
    const { tasks: first = [] } = await call('RunTask', input)
    const { tasks: again = [] } = await call('RunTask', input)
    expect(first).toHaveLength(6)
    expect(again.map(({ taskArn }) => taskArn)).toEqual(first.map(({ taskArn }) => taskArn))
  })
})

describe('the order of those that wait', () => {
  test('is by priority, then by age, also for one that is asked for when room has just come', async () => {
    const { run, end, status } = await clusterWithQueue({ hosts: 1 })
    let [running = ''] = await run({ cpu: 1024 })
    const [old = ''] = await run({ cpu: 1024 })
    const [young = ''] = await run({ cpu: 1024 })
    const [urgent = ''] = await run({ cpu: 1024, priority: 5 })
    const [patient = ''] = await run({ cpu: 1024, priority: -1 })
    for (const expected of [urgent, old, young, patient]) {
      await end(running)
      expect(status(expected)).toBe('PENDING')
      running = expected
    }
  })

  test('a small one passes a big one that it does not delay, and no other', async () => {
    const { run, end, status, task } = await clusterWithQueue({ hosts: 2 })
    const [half = ''] = await run({ cpu: 512 })
    const host = task(half).hostId
    const [more = ''] = await run({ cpu: 768 })
    expect(task(more).hostId).not.toBe(host)
    // The host with a half free is nearer to taking the whole task: it is kept.
    const [whole = ''] = await run({ cpu: 1024 })
    const [passes = '', stays = ''] = await run({ cpu: 256, count: 2 })
    expect([status(whole), status(passes), status(stays)].sort()).toEqual(['PENDING', 'PROVISIONING', 'PROVISIONING'])
    expect(status(whole)).toBe('PROVISIONING')
    await end(half)
    expect(task(whole)).toMatchObject({ lastStatus: 'PENDING', hostId: host })
  })

  test('one that could not run on any host keeps none from others', async () => {
    const { run, status } = await clusterWithQueue({ hosts: 2 })
    const [impossible = ''] = await run({ cpu: 4096, priority: 100 })
    const tasks = await run({ cpu: 1024, count: 2 })
    expect(status(impossible)).toBe('PROVISIONING')
    expect(tasks.map(status)).toEqual(['PENDING', 'PENDING'])
  })

  test('a service that has the room for good keeps nobody waiting for it', async () => {
    const { run, status, put, task } = await clusterWithQueue({ hosts: 1 })
    const [held = ''] = await run({ cpu: 512 })
    await put('tasks', held, { ...task(held), serviceName: 'shop', group: 'service:shop' })
    const [whole = ''] = await run({ cpu: 1024 })
    const [small = ''] = await run({ cpu: 512 })
    expect([status(whole), status(small)]).toEqual(['PROVISIONING', 'PENDING'])
  })
})

describe('a gang', () => {
  test('starts together or not at all, whatever room there is for some', async () => {
    const { run, end, status } = await clusterWithQueue({ hosts: 2 })
    const [one = ''] = await run({ cpu: 1024 })
    const gang = await run({ cpu: 512, count: 4, gang: true })
    expect(new Set(gang.map(status))).toEqual(new Set(['PROVISIONING']))
    await end(one)
    expect(new Set(gang.map(status))).toEqual(new Set(['PENDING']))
  })

  test('keeps the hosts that it needs while they empty', async () => {
    const { run, end, status } = await clusterWithQueue({ hosts: 2 })
    const [a = ''] = await run({ cpu: 768 })
    const [b = ''] = await run({ cpu: 768 })
    const gang = await run({ cpu: 1024, count: 2, gang: true })
    const [small = ''] = await run({ cpu: 256 })
    await end(a)
    expect([...gang, small].map(status)).toEqual(['PROVISIONING', 'PROVISIONING', 'PROVISIONING'])
    await end(b)
    expect([...gang, small].map(status)).toEqual(['PENDING', 'PENDING', 'PROVISIONING'])
  })

  test('that loses a member to its user starts without him', async () => {
    const { run, call, status } = await clusterWithQueue({ hosts: 2 })
    const [gone = '', ...others] = await run({ cpu: 1024, count: 3, gang: true })
    await call('StopTask', { task: gone })
    await call('ListTasks', {})
    expect(others.map(status)).toEqual(['PENDING', 'PENDING'])
  })

  test('without a queue is refused whole', async () => {
    const { call } = await clusterWithQueue({ hosts: 2 })
    const tags = [
      { key: 'berth:queue', value: 'disabled' },
      { key: 'berth:gang', value: 'true' },
    ]
    const { tasks, failures = [] } = await call('RunTask', { taskDefinition: 'web', count: 10, tags })
    expect(tasks).toEqual([])
    expect(failures[0]?.detail).toContain('cpu: needs 256')
    expect((await call('RunTask', { taskDefinition: 'web', count: 8, tags })).tasks).toHaveLength(8)
  })
})
