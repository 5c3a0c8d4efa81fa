import { NetworkMode } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { describe, expect, test } from 'vitest'
import { pauseContainerName } from './task-state.ts'
import { engineLab } from './testing/engine-lab.ts'
import { awsvpc, container, task, taskArnOf } from './testing/task-builder.ts'

const stopped = { shouldRun: false, stopReason: 'Task stopped by user' }

describe('a task that is assigned', () => {
  test('is pulled, created, started and RUNNING', async () => {
    const lab = engineLab()
    await lab.assign(task('a'))
    await lab.after(2000)
    expect(lab.container('a', 'app')).toMatchObject({ state: 'running', runs: 1 })
    const seen = lab.seen('a')
    expect(seen.status).toBe('RUNNING')
    expect(seen.container('app')).toMatchObject({
      statusName: 'RUNNING',
      runtimeId: lab.container('a', 'app').runtimeId,
      essential: true,
    })
    const { pullStartedAt, pullStoppedAt, startedAt, stoppedAt } = seen.report
    expect(pullStartedAt).toBeGreaterThan(0)
    expect(pullStoppedAt).toBeGreaterThan(pullStartedAt)
    expect(startedAt).toBeGreaterThan(pullStoppedAt)
    expect(stoppedAt).toBe(0)
  })

  test('is made once, however often it is assigned', async () => {
    const lab = engineLab()
    await Promise.all([lab.assign(task('a')), lab.assign(task('a'))])
    await lab.after(100)
    await lab.assignFull(task('a'))
    await lab.after(2000)
    expect(lab.containers('a').map((each) => each.runs)).toEqual([1])
  })

  test('has each of its ports on the address of the host', async () => {
    const lab = engineLab()
    const ports = [{ containerPort: 80, hostPort: 8080, protocol: 'tcp', name: 'web' }]
    await lab.assign(task('a', [container('app', { ports })]))
    await lab.after(2000)
    expect(lab.container('a', 'app').wanted.ports).toEqual([
      { hostIp: '127.0.0.2', hostPort: 8080, containerPort: 80, protocol: 'tcp' },
    ])
    expect(lab.seen('a').container('app')).toMatchObject({ bindings: ports, bindIp: '127.0.0.2' })
  })

  test('with awsvpc is ACTIVATING until it runs, in the network of its pause container', async () => {
    const lab = engineLab()
    await lab.assign(task('a', [container('app', { ports: [{ containerPort: 80, hostPort: 80 }] })], awsvpc))
    await lab.after(2000)
    const pause = lab.container('a', pauseContainerName)
    expect(lab.container('a', 'app').wanted).toMatchObject({
      network: { kind: 'container', runtimeId: pause.runtimeId },
      ports: [],
    })
    expect(lab.history('a')).toEqual(['ACTIVATING', 'RUNNING'])
    const seen = lab.seen('a')
    expect(seen.report.network?.privateIpv4).toBe(pause.address)
    expect(seen.report.containers.map((each) => each.name)).toEqual(['app'])
    await lab.assign(task('a', [container('app')], { ...awsvpc, ...stopped }))
    await lab.after(2000)
    expect(lab.history('a')).toEqual(['ACTIVATING', 'RUNNING', 'STOPPING', 'DEPROVISIONING', 'STOPPED'])
  })
})

describe('a task that must stop', () => {
  test('is stopped and says so', async () => {
    const lab = engineLab()
    await lab.assign(task('a'))
    await lab.after(2000)
    await lab.assign(task('a', [container('app')], stopped))
    await lab.after(2000)
    expect(lab.container('a', 'app').state).toBe('exited')
    expect(lab.history('a')).toEqual(['RUNNING', 'STOPPING', 'STOPPED'])
    const seen = lab.seen('a')
    expect(seen).toMatchObject({ status: 'STOPPED', stopCode: 'UserInitiated', stoppedReason: 'Task stopped by user' })
    expect(seen.container('app')).toMatchObject({ statusName: 'STOPPED', exitCode: 0 })
    const { stoppingAt, executionStoppedAt, stoppedAt } = seen.report
    expect(stoppingAt).toBeGreaterThan(0)
    expect(executionStoppedAt).toBeGreaterThanOrEqual(stoppingAt)
    expect(stoppedAt).toBeGreaterThanOrEqual(executionStoppedAt)
  })

  test('kills a container that lets the stop signal pass, after its own stop timeout', async () => {
    const lab = engineLab({ images: { 'app:1': { program: { stopMs: Infinity } } } })
    const app = container('app', { stopTimeoutS: 5 })
    await lab.assign(task('a', [app]))
    await lab.after(2000)
    await lab.assign(task('a', [app], stopped))
    await lab.after(4900)
    expect(lab.seen('a').status).toBe('STOPPING')
    await lab.after(200)
    expect(lab.seen('a').container('app').exitCode).toBe(137)
    expect(lab.seen('a').status).toBe('STOPPED')
  })

  test('gives up a pull that is under way', async () => {
    const lab = engineLab({ images: { 'app:1': { image: { pullMs: 3_600_000 } } } })
    await lab.assign(task('a'))
    await lab.after(1000)
    await lab.assign(task('a', [container('app')], stopped))
    await lab.after(100)
    expect(lab.seen('a').status).toBe('STOPPED')
    await lab.after(3_700_000)
    expect(lab.containers('a')).toEqual([])
  })

  test('is STOPPED at once when this host never had it', async () => {
    const lab = engineLab()
    await lab.assign(task('a', [container('app')], stopped))
    await lab.after(1000)
    expect(lab.seen('a').status).toBe('STOPPED')
    expect(lab.containers('a')).toEqual([])
  })

  test('never runs when its start was on its way as the agent died, and it was told to stop meanwhile', async () => {
    const lab = engineLab({ images: { 'app:1': { image: { pullMs: 10 }, program: { createMs: 10, startMs: 5000 } } } })
    await lab.assign(task('a'))
    await lab.after(100)
    lab.crash()
    lab.boot()
    await lab.assign(task('a', [container('app')], stopped))
    await lab.after(1000)
    expect(lab.seen('a').status).toBe('STOPPED')
    expect(lab.containers('a')).toEqual([])
    await lab.after(10_000)
    expect(lab.containers('a')).toEqual([])
    expect(lab.seen('a').container('app').exitCode).toBeUndefined()
  })

  test('stops in order when that start had been carried out by the time it is looked at', async () => {
    const lab = engineLab({ images: { 'app:1': { image: { pullMs: 10 }, program: { createMs: 10, startMs: 500 } } } })
    await lab.assign(task('a'))
    await lab.after(100)
    lab.crash()
    await lab.after(1000)
    lab.boot()
    await lab.assign(task('a', [container('app')], stopped))
    await lab.after(1000)
    expect(lab.container('a', 'app')).toMatchObject({ state: 'exited', runs: 1 })
    expect(lab.seen('a').status).toBe('STOPPED')
  })

  test('stops a container whose start was on its way', async () => {
    const lab = engineLab({ images: { 'app:1': { image: { pullMs: 10 }, program: { createMs: 10, startMs: 5000 } } } })
    await lab.assign(task('a'))
    await lab.after(100)
    await lab.assign(task('a', [container('app')], stopped))
    await lab.after(1000)
    expect(lab.seen('a').status).not.toBe('STOPPED')
    await lab.after(10_000)
    expect(lab.container('a', 'app')).toMatchObject({ state: 'exited', runs: 1 })
    expect(lab.seen('a').status).toBe('STOPPED')
  })
})

describe('a container that ends', () => {
  test('ends the task when it is essential, and takes the others along', async () => {
    const lab = engineLab()
    await lab.assign(task('a', [container('app'), container('side', { essential: false })]))
    await lab.after(2000)
    lab.world.kill(lab.container('a', 'app').runtimeId, 3)
    await lab.after(1000)
    const seen = lab.seen('a')
    expect(seen).toMatchObject({
      status: 'STOPPED',
      stopCode: 'EssentialContainerExited',
      stoppedReason: 'Essential container in task exited',
    })
    expect(seen.container('app').exitCode).toBe(3)
    expect(lab.container('a', 'side').state).toBe('exited')
  })

  test('is reported within half a second', async () => {
    const lab = engineLab()
    await lab.assign(task('a'))
    await lab.after(2000)
    lab.world.kill(lab.container('a', 'app').runtimeId)
    await lab.after(10)
    expect(lab.seen('a').status).toBe('STOPPED')
  })

  test('leaves the task running when it is not essential', async () => {
    const lab = engineLab({ images: { 'job:1': { program: { runMs: 500, exitCode: 9 } } } })
    await lab.assign(task('a', [container('app'), container('job', { essential: false, image: 'job:1' })]))
    await lab.after(5000)
    expect(lab.seen('a').status).toBe('RUNNING')
    expect(lab.seen('a').container('job')).toMatchObject({ statusName: 'STOPPED', exitCode: 9 })
  })

  test('for want of memory says so', async () => {
    const lab = engineLab({ images: { 'app:1': { program: { runMs: 500, exitCode: 137, oomKilled: true } } } })
    await lab.assign(task('a'))
    await lab.after(5000)
    expect(lab.seen('a').container('app')).toMatchObject({
      exitCode: 137,
      reason: 'OutOfMemoryError: Container killed due to memory usage',
    })
  })

  test('is noticed also when the event is lost', async () => {
    const lab = engineLab()
    await lab.assign(task('a'))
    await lab.after(2000)
    lab.world.faults.eventLoss = 1
    lab.world.kill(lab.container('a', 'app').runtimeId)
    await lab.after(61_000)
    expect(lab.seen('a').status).toBe('STOPPED')
  })

  test('and is removed by hand at once stops its task with a reason', async () => {
    const lab = engineLab()
    await lab.assign(task('a'))
    await lab.after(2000)
    lab.world.faults.eventLoss = 1
    lab.world.remove(lab.container('a', 'app'))
    lab.world.mendEngine()
    await lab.after(1000)
    expect(lab.seen('a')).toMatchObject({ status: 'STOPPED', stopCode: 'EssentialContainerExited' })
    expect(lab.seen('a').container('app').reason).toContain('removed')
  })
})

describe('a container that is to be restarted', () => {
  const app = container('app', { restartPolicy: { enabled: true, ignoredExitCodes: [0], attemptPeriodS: 60 } })

  test('runs again on the spot, while the task stays RUNNING', async () => {
    const lab = engineLab()
    await lab.assign(task('a', [app]))
    await lab.after(70_000)
    lab.world.kill(lab.container('a', 'app').runtimeId, 1)
    await lab.after(1000)
    expect(lab.container('a', 'app')).toMatchObject({ state: 'running', runs: 2 })
    expect(lab.history('a')).toEqual(['RUNNING'])
    expect(lab.seen('a').container('app')).toMatchObject({ statusName: 'RUNNING', restartCount: 1 })
  })

  test('stays stopped when it ended too soon', async () => {
    const lab = engineLab()
    await lab.assign(task('a', [app]))
    await lab.after(30_000)
    lab.world.kill(lab.container('a', 'app').runtimeId, 1)
    await lab.after(1000)
    expect(lab.seen('a').status).toBe('STOPPED')
  })

  test('stays stopped after an exit code that is to be ignored', async () => {
    const lab = engineLab()
    await lab.assign(task('a', [app]))
    await lab.after(70_000)
    lab.world.kill(lab.container('a', 'app').runtimeId, 0)
    await lab.after(1000)
    expect(lab.seen('a')).toMatchObject({ status: 'STOPPED', stopCode: 'EssentialContainerExited' })
  })
})

describe('a task that cannot be started', () => {
  test.each([
    [
      'whose image cannot be pulled',
      { image: { pullError: 'pull access denied' } },
      'CannotPullContainerError: pull access denied',
    ],
    [
      'whose program is not there',
      { program: { startError: 'exec: "x": not found' } },
      'CannotStartContainerError: exec: "x": not found',
    ],
  ])('%s says why', async (_name, image, reason) => {
    const lab = engineLab({ images: { 'app:1': image } })
    await lab.assign(task('a'))
    await lab.after(5000)
    const seen = lab.seen('a')
    expect(seen).toMatchObject({ status: 'STOPPED', stopCode: 'TaskFailedToStart', stoppedReason: reason })
    expect(seen.container('app').reason).toBe(reason)
    expect(seen.container('app').exitCode).toBeUndefined()
  })

  test('whose port belongs to another task is refused', async () => {
    const lab = engineLab()
    const ports = [{ containerPort: 80, hostPort: 8080, protocol: 'tcp' }]
    await lab.assign(task('a', [container('app', { ports })]))
    await lab.assign(task('b', [container('app', { ports })]))
    await lab.after(2000)
    expect(lab.seen('a').status).toBe('RUNNING')
    expect(lab.seen('b')).toMatchObject({ status: 'STOPPED', stopCode: 'TaskFailedToStart' })
    expect(lab.seen('b').stoppedReason).toContain('8080/tcp')
    expect(lab.containers('b')).toEqual([])
  })

  test('whose port belongs to a task that the same set leaves out waits for it', async () => {
    const lab = engineLab()
    const app = container('app', { ports: [{ containerPort: 80, hostPort: 8080, protocol: 'tcp' }] })
    await lab.assign(task('a', [app]))
    await lab.after(2000)
    await lab.assignFull(task('b', [app]))
    await lab.after(10_000)
    expect(lab.seen('b').status).toBe('RUNNING')
  })

  test('whose port belongs to a task on its way out waits for it', async () => {
    const lab = engineLab({ images: { 'app:1': { program: { stopMs: 3000 } } } })
    const ports = [{ containerPort: 80, hostPort: 8080, protocol: 'tcp' }]
    const app = container('app', { ports })
    await lab.assign(task('a', [app]))
    await lab.after(2000)
    await lab.assign(task('a', [app], stopped), task('b', [app]))
    await lab.after(1000)
    expect(lab.seen('b').status).toBe('PENDING')
    await lab.after(5000)
    expect(lab.seen('b').status).toBe('RUNNING')
  })

  test('for a container that is privileged, on a host that allows none, is refused', async () => {
    const lab = engineLab({ engine: { allowsPrivileged: false } })
    await lab.assign(task('a', [container('app', { privileged: true })]))
    await lab.after(100)
    expect(lab.seen('a')).toMatchObject({ status: 'STOPPED', stopCode: 'TaskFailedToStart' })
  })
})

describe('containers that depend on one another', () => {
  const job = { image: 'job:1', essential: false }
  const onJob = (condition: string) => ({ dependsOn: [{ containerName: 'job', condition }] })

  test.each([
    ['COMPLETE', 4, 'RUNNING'],
    ['SUCCESS', 0, 'RUNNING'],
    ['SUCCESS', 4, 'STOPPED'],
  ])('%s of one that exits with %i: the task is %s', async (condition, exitCode, status) => {
    const lab = engineLab({ images: { 'job:1': { program: { runMs: 3000, exitCode } } } })
    await lab.assign(task('a', [container('job', job), container('app', onJob(condition))]))
    await lab.after(2000)
    expect(lab.container('a', 'app').state).toBe('created')
    expect(lab.seen('a').status).toBe('PENDING')
    await lab.after(5000)
    expect(lab.seen('a').status).toBe(status)
    expect(lab.container('a', 'app').runs).toBe(status === 'RUNNING' ? 1 : 0)
  })

  test('HEALTHY waits for the health check, which is reported', async () => {
    const lab = engineLab({ images: { 'db:1': { program: { healthyAfterMs: 10_000 } } } })
    const db = container('db', {
      image: 'db:1',
      healthCheck: { command: ['CMD', 'ok'], intervalS: 5, timeoutS: 2, retries: 3 },
    })
    await lab.assign(task('a', [db, container('app', { dependsOn: [{ containerName: 'db', condition: 'HEALTHY' }] })]))
    await lab.after(9000)
    expect(lab.container('a', 'app').runs).toBe(0)
    await lab.after(5000)
    expect(lab.seen('a').status).toBe('RUNNING')
    expect(lab.seen('a').container('db').healthStatus).toBe('HEALTHY')
  })

  test('a dependency that takes longer than its start timeout fails the task', async () => {
    const lab = engineLab({ images: { 'job:1': { program: { runMs: 600_000 } } } })
    await lab.assign(task('a', [container('job', { ...job, startTimeoutS: 20 }), container('app', onJob('COMPLETE'))]))
    await lab.after(19_000)
    expect(lab.seen('a').status).toBe('PENDING')
    await lab.after(3000)
    expect(lab.seen('a')).toMatchObject({ status: 'STOPPED', stopCode: 'TaskFailedToStart' })
    expect(lab.seen('a').stoppedReason).toContain('within 20 s')
    expect(lab.container('a', 'job').state).toBe('exited')
  })

  test('stop in the reverse order', async () => {
    const lab = engineLab({ images: { 'app:1': { program: { stopMs: 1000 } } } })
    const containers = [
      container('db'),
      container('api', { dependsOn: [{ containerName: 'db', condition: 'START' }] }),
      container('web', { links: ['api:backend'] }),
    ]
    await lab.assign(task('a', containers))
    await lab.after(3000)
    await lab.assign(task('a', containers, stopped))
    await lab.after(10_000)
    const ended = ['web', 'api', 'db'].map((name) => lab.container('a', name).finishedAt ?? 0)
    expect(ended).toEqual([...ended].sort((x, y) => x - y))
    expect(new Set(ended).size).toBe(3)
    const started = ['db', 'api', 'web'].map((name) => lab.container('a', name).startedAt ?? 0)
    expect(started).toEqual([...started].sort((x, y) => x - y))
  })
})

describe('the container engine', () => {
  test('may be down when a task comes: nothing is made up, and it goes on by itself', async () => {
    const lab = engineLab()
    await lab.after(100)
    lab.world.breakEngine('away')
    await lab.assign(task('a'))
    await lab.after(30_000)
    expect(lab.seen('a').status).toBe('PENDING')
    expect(lab.engine.health()).toMatchObject({ healthy: false })
    lab.world.mendEngine()
    await lab.after(20_000)
    expect(lab.engine.health()).toEqual({ healthy: true, message: '' })
    expect(lab.container('a', 'app').runs).toBe(1)
    expect(lab.seen('a').status).toBe('RUNNING')
  })

  test.each(['away', 'hung'] as const)(
    'may be %s while a container dies, which is told when it is back',
    async (how) => {
      const lab = engineLab()
      await lab.assign(task('a'))
      await lab.after(2000)
      lab.world.breakEngine(how)
      lab.world.kill(lab.container('a', 'app').runtimeId, 5)
      await lab.after(60_000)
      expect(lab.seen('a').status).toBe('RUNNING')
      expect(lab.engine.health().healthy).toBe(false)
      lab.world.mendEngine()
      await lab.after(90_000)
      expect(lab.seen('a')).toMatchObject({ status: 'STOPPED', stopCode: 'EssentialContainerExited' })
      expect(lab.seen('a').container('app').exitCode).toBe(5)
    },
  )

  test('that loses an answer is asked what became of the start, and does not start twice', async () => {
    const lab = engineLab({ images: { 'app:1': { program: { runMs: 10, exitCode: 0 } } } })
    lab.world.faults.answerLoss = 0.5
    await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => lab.assign(task(name))))
    await lab.after(120_000)
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
      expect(lab.containers(name).map((each) => each.runs)).toEqual([1])
      expect(lab.seen(name)).toMatchObject({ status: 'STOPPED', stopCode: 'EssentialContainerExited' })
    }
  })
})

describe('an agent that is killed and started again', () => {
  test('finds a container that was made after it had asked for the list, and before the list came', async () => {
    const lab = engineLab({ images: { 'app:1': { image: { pullMs: 10 }, program: { createMs: 100 } } } })
    await lab.assign(task('a'))
    await lab.after(50)
    lab.crash()
    lab.world.faults.answerMs = 100
    lab.boot()
    await lab.after(10_000)
    expect(lab.seen('a').status).toBe('RUNNING')
    expect(lab.container('a', 'app')).toMatchObject({ state: 'running', runs: 1 })
  })

  test('finds its tasks running', async () => {
    const lab = engineLab()
    await lab.assign(task('a', [container('app')], awsvpc))
    await lab.after(2000)
    lab.crash()
    await lab.after(60_000)
    lab.boot()
    await lab.after(2000)
    expect(lab.seen('a').status).toBe('RUNNING')
    expect(lab.seen('a').report.network?.privateIpv4).toBe(lab.container('a', pauseContainerName).address)
    expect(lab.containers('a').map((each) => each.runs)).toEqual([1, 1])
  })

  test('says what happened meanwhile', async () => {
    const lab = engineLab()
    await lab.assign(task('a'), task('b'), task('c'))
    await lab.after(2000)
    lab.crash()
    lab.world.kill(lab.container('a', 'app').runtimeId, 7)
    lab.world.remove(lab.container('b', 'app'))
    lab.boot()
    await lab.after(2000)
    expect(lab.seen('a')).toMatchObject({ status: 'STOPPED', stopCode: 'EssentialContainerExited' })
    expect(lab.seen('a').container('app').exitCode).toBe(7)
    expect(lab.seen('b').container('app').reason).toContain('removed')
    expect(lab.seen('c').status).toBe('RUNNING')
  })

  test('still knows that a task has stopped, and does not run it again', async () => {
    const lab = engineLab()
    await lab.assign(task('a'))
    await lab.after(2000)
    lab.world.kill(lab.container('a', 'app').runtimeId, 7)
    await lab.after(2000)
    const before = lab.seen('a').report
    lab.crash()
    lab.boot()
    await lab.assignFull(task('a'))
    await lab.after(10_000)
    expect(lab.seen('a').report).toEqual(before)
    expect(lab.container('a', 'app').runs).toBe(1)
  })

  test('takes back what it finds when it has lost its journal, once it is told that it is its own', async () => {
    const lab = engineLab()
    await lab.assign(task('a'), task('b'))
    await lab.after(2000)
    lab.crash()
    lab.disk.records.length = 0
    lab.boot()
    await lab.after(600_000)
    expect(lab.container('b', 'app').state).toBe('running')
    await lab.assignFull(task('a'))
    await lab.after(60_000)
    expect(lab.seen('a').status).toBe('RUNNING')
    expect(lab.containers('a').map((each) => each.runs)).toEqual([1])
    expect(lab.containers('b')).toEqual([])
  })
})

describe('while the disk of the journal is full', () => {
  test('nothing is taken on, what runs does so, and the host says that it is not well', async () => {
    const lab = engineLab()
    await lab.assign(task('a'))
    await lab.after(2000)
    lab.disk.isFull = true
    await expect(lab.assign(task('b'))).rejects.toThrow('The journal cannot be written.')
    await lab.after(10_000)
    expect(lab.engine.health()).toEqual({ healthy: false, message: 'The journal cannot be written.' })
    expect(lab.containers('b')).toEqual([])
    expect(lab.container('a', 'app')).toMatchObject({ state: 'running', runs: 1 })

    lab.disk.isFull = false
    await lab.assignFull(task('a'), task('b'))
    await lab.after(2000)
    expect(lab.engine.health().healthy).toBe(true)
    expect(lab.seen('b').status).toBe('RUNNING')
  })

  test('what happens is written as soon as there is room again, though nobody sends anything', async () => {
    const lab = engineLab()
    await lab.assign(task('a'))
    await lab.after(2000)
    lab.disk.isFull = true
    lab.world.kill(lab.container('a', 'app').runtimeId, 7)
    await lab.after(60_000)
    expect(lab.engine.health().healthy).toBe(false)
    expect(lab.seen('a').status).toBe('STOPPED')

    lab.disk.isFull = false
    await lab.after(10_000)
    expect(lab.engine.health().healthy).toBe(true)
    const before = lab.seen('a').report
    lab.crash()
    lab.world.containers.clear()
    lab.boot()
    await lab.after(10_000)
    expect(lab.seen('a').report).toEqual(before)
  })
})

describe('what is left of a task', () => {
  test('is kept for the clean-up wait, then removed with its volumes', async () => {
    const lab = engineLab()
    const app = container('app', { mountPoints: [{ sourceVolume: 'scratch', containerPath: '/scratch' }] })
    await lab.assign(task('a', [app], { volumes: [{ name: 'scratch', source: { $case: 'hostPath', value: '' } }] }))
    await lab.after(2000)
    expect(lab.world.volumes.size).toBe(1)
    lab.world.kill(lab.container('a', 'app').runtimeId)
    await lab.after(2 * 3_600_000)
    expect(lab.containers('a')).toHaveLength(1)
    await lab.after(3_700_000)
    expect(lab.containers('a')).toEqual([])
    expect(lab.world.volumes.size).toBe(0)
    expect(lab.seen('a').status).toBe('STOPPED')
  })

  test('is forgotten once it is gone and the cell needs no more word of it', async () => {
    const lab = engineLab({ engine: { cleanupWaitMs: 1000 } })
    await lab.assign(task('a'), task('b'))
    await lab.after(2000)
    lab.world.kill(lab.container('a', 'app').runtimeId)
    await lab.after(100)
    await lab.remove('a')
    lab.engine.reportAll()
    expect(lab.engine.pendingReports(10).map((each) => each.taskArn)).toEqual([taskArnOf('b')])
    await lab.after(5000)
    expect(lab.engine.tasks().map((each) => each.assignment.taskArn)).toEqual([taskArnOf('b')])
    lab.crash()
    lab.boot()
    expect(lab.engine.tasks()).toHaveLength(1)
  })

  test('a task that a full set does not have is stopped and removed', async () => {
    const lab = engineLab({ engine: { cleanupWaitMs: 1000 } })
    await lab.assign(task('a'), task('b'))
    await lab.after(2000)
    await lab.assignFull(task('b'))
    await lab.after(10_000)
    expect(lab.containers('a')).toEqual([])
    expect(lab.container('b', 'app').state).toBe('running')
  })

  test('is removed late when the engine was away at the time', async () => {
    const lab = engineLab({ engine: { cleanupWaitMs: 1000 } })
    await lab.assign(task('a', [container('app')], { networkMode: NetworkMode.NETWORK_MODE_HOST }))
    await lab.after(2000)
    lab.world.kill(lab.container('a', 'app').runtimeId)
    await lab.after(100)
    lab.world.breakEngine('away')
    await lab.after(10_000)
    lab.world.mendEngine()
    await lab.after(90_000)
    expect(lab.containers('a')).toEqual([])
  })
})

describe('reports', () => {
  test('are pending until they are acknowledged, and again when there is news', async () => {
    const lab = engineLab()
    await lab.assign(task('a'), task('b'))
    await lab.after(2000)
    const first = lab.engine.pendingReports(1)
    expect(first).toHaveLength(1)
    expect(lab.engine.pendingReports(10)).toHaveLength(2)
    lab.engine.acknowledge(lab.engine.pendingReports(10))
    expect(lab.engine.pendingReports(10)).toEqual([])
    lab.world.kill(lab.container('b', 'app').runtimeId)
    await lab.after(1000)
    expect(lab.engine.pendingReports(10).map((each) => each.taskArn)).toEqual([taskArnOf('b')])
  })

  test('that are out of date by the time they are acknowledged stay pending', async () => {
    const lab = engineLab()
    await lab.assign(task('a'))
    await lab.after(2000)
    const sent = lab.engine.pendingReports(10)
    lab.world.kill(lab.container('a', 'app').runtimeId)
    await lab.after(1000)
    lab.engine.acknowledge(sent)
    expect(lab.engine.pendingReports(10)).toHaveLength(1)
  })

  test('a quick task is told about twice: that it runs and that it stopped', async () => {
    const lab = engineLab()
    let told = 0
    lab.engine.onReport(() => told++)
    await lab.assign(task('a'))
    await lab.after(2000)
    expect(told).toBe(1)
  })
})
