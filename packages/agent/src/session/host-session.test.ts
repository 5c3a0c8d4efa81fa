import { taskStatusRank } from '@berth/shared/task-status.ts'
import { describe, expect, test } from 'vitest'
import { container, task, taskArnOf } from '../engine/testing/task-builder.ts'
import { sessionLab } from './testing/session-lab.ts'

describe('joining', () => {
  test('says who the host is and what it has', async () => {
    const lab = sessionLab()
    await lab.after(100)
    expect(lab.server.heard('hello')).toMatchObject([
      {
        protocolVersion: 1,
        agentVersion: '1.2.3',
        dockerVersion: '20.10.24',
        cluster: 'default',
        containerInstanceArn: '',
        held: { epoch: 0, number: 0 },
        token: 'secret',
        offersFargate: true,
        engineHealthy: true,
        address: '127.0.0.2',
        resources: { cpu: 2048 },
      },
    ])
  })

  test('keeps who the host is over restarts', async () => {
    const lab = sessionLab()
    await lab.after(100)
    await lab.restart()
    await lab.after(100)
    const [first, second] = lab.server.heard('hello')
    expect(second?.hostId).toBe(first?.hostId)
    expect(second?.hostId).not.toBe('')
    expect(second?.containerInstanceArn).toBe('arn:instance')
    expect(second?.agentRunId).not.toBe(first?.agentRunId)
  })

  test('tries for ever, one server after the other, with longer and longer pauses', async () => {
    const lab = sessionLab({ servers: ['one:1', 'two:2', 'three:3'] })
    for (const address of ['one:1', 'two:2', 'three:3']) lab.server.habits.refusesConnections.add(address)
    await lab.after(60_000)
    const tried = lab.server.streams.map((stream) => stream.address)
    expect(tried.slice(0, 4)).toEqual(['one:1', 'two:2', 'three:3', 'one:1'])
    expect(tried.length).toBeGreaterThan(15)
    expect(tried.length).toBeLessThan(60)
    lab.server.habits.refusesConnections.delete('two:2')
    await lab.after(30_000)
    expect(lab.server.stream).toMatchObject({ address: 'two:2', isOpen: true })
  })

  test('gives up a server that does not answer Hello', async () => {
    const lab = sessionLab({ servers: ['one:1', 'two:2'] })
    lab.server.habits.onHello = (stream) => {
      if (stream.address === 'two:2') lab.server.welcome(stream)
    }
    await lab.after(15_000)
    expect(lab.server.streams.map((stream) => [stream.address, stream.isOpen])).toEqual([
      ['one:1', false],
      ['two:2', true],
    ])
  })

  test('follows at once to the leader that is named', async () => {
    const lab = sessionLab({ servers: ['one:1'] })
    lab.server.habits.onHello = (stream) => {
      if (stream.address === 'leader:9') return lab.server.welcome(stream)
      return stream.say({ $case: 'refused', value: { code: 'NOT_LEADER', message: '', leaderAddress: 'leader:9' } })
    }
    await lab.after(10)
    expect(lab.server.streams.map((stream) => stream.address)).toEqual(['one:1', 'leader:9'])
  })

  test('does not run around between two that name each other', async () => {
    const lab = sessionLab({ servers: ['one:1'] })
    lab.server.habits.onHello = (stream) => {
      const leaderAddress = stream.address === 'one:1' ? 'two:2' : 'one:1'
      stream.say({ $case: 'refused', value: { code: 'NOT_LEADER', message: '', leaderAddress } })
    }
    await lab.after(60_000)
    expect(lab.server.streams.length).toBeLessThan(200)
  })

  test('does not follow a server of an older epoch', async () => {
    const lab = sessionLab({ servers: ['one:1', 'two:2'] })
    await lab.after(50)
    lab.server.assign(1, [], { full: true, revision: { epoch: 7, number: 1 } })
    await lab.after(50)
    lab.server.habits.onHello = (stream) => lab.server.welcome(stream, { epoch: stream.address === 'two:2' ? 7 : 6 })
    lab.server.stream.end()
    await lab.after(10_000)
    expect(lab.server.stream).toMatchObject({ address: 'two:2', isOpen: true })
  })

  test('ends, with its containers left alone, when the host was deregistered', async () => {
    const lab = sessionLab()
    await lab.after(50)
    lab.server.assign(1, [task('a')], { full: true })
    await lab.after(2000)
    lab.server.habits.onHello = (stream) =>
      stream.say({ $case: 'refused', value: { code: 'DEREGISTERED', message: 'gone', leaderAddress: '' } })
    lab.server.stream.end()
    await lab.after(10_000)
    await expect(lab.session.ended).resolves.toEqual({ kind: 'deregistered', message: 'gone' })
    await lab.after(60_000)
    expect([...lab.world.containers.values()].map((each) => each.state)).toEqual(['running'])
  })

  test('goes on trying with long pauses where only a person can help', async () => {
    const lab = sessionLab()
    lab.server.habits.onHello = (stream) =>
      stream.say({ $case: 'refused', value: { code: 'UNAUTHENTICATED', message: 'no', leaderAddress: '' } })
    await lab.after(60_000)
    expect(lab.server.streams.length).toBeGreaterThan(8)
    expect(lab.server.streams.length).toBeLessThan(60)
  })

  test('says goodbye when it stops', async () => {
    const lab = sessionLab()
    await lab.after(50)
    await lab.session.stop()
    await lab.after(10)
    expect(lab.server.heard('goodbye')).toHaveLength(1)
    await expect(lab.session.ended).resolves.toEqual({ kind: 'stopped' })
    await lab.after(60_000)
    expect(lab.server.streams).toHaveLength(1)
  })
})

describe('assignments', () => {
  test('are acknowledged once they are durable, a full set and then deltas', async () => {
    const lab = sessionLab()
    await lab.after(50)
    lab.server.assign(1, [task('a')], { full: true })
    lab.server.assign(2, [task('b')])
    lab.server.assign(3, [task('c')])
    await lab.after(50)
    expect(lab.server.heard('assignmentAck').map((ack) => ack.revision?.number)).toEqual([1, 2, 3])
    expect(lab.journal.state.held).toEqual({ epoch: 1, number: 3 })
    expect(lab.engine.tasks()).toHaveLength(3)
  })

  test('that come twice are acknowledged twice and done once', async () => {
    const lab = sessionLab()
    await lab.after(50)
    lab.server.assign(1, [task('a')], { full: true })
    lab.server.assign(2, [task('b')])
    lab.server.assign(1, [task('a')], { full: true })
    lab.server.assign(2, [task('b')])
    await lab.after(3000)
    expect(lab.server.heard('assignmentAck').map((ack) => ack.revision?.number)).toEqual([1, 2, 1, 2])
    expect(lab.engine.tasks().map((each) => each.status)).toEqual(['RUNNING', 'RUNNING'])
  })

  test('whose link is wrong are refused, once, until a full set comes', async () => {
    const lab = sessionLab()
    await lab.after(50)
    lab.server.assign(1, [task('a')], { full: true })
    lab.server.assign(3, [task('c')])
    lab.server.assign(4, [task('d')])
    await lab.after(50)
    expect(lab.server.heard('assignmentReject')).toMatchObject([
      { revision: { epoch: 1, number: 3 }, held: { epoch: 1, number: 1 } },
    ])
    lab.server.assign(5, [task('a'), task('c'), task('d')], { full: true })
    lab.server.assign(6, [task('e')])
    await lab.after(50)
    expect(lab.server.heard('assignmentAck').map((ack) => ack.revision?.number)).toEqual([1, 5, 6])
    expect(lab.engine.tasks()).toHaveLength(4)
  })

  test('of an older epoch are refused', async () => {
    const lab = sessionLab()
    await lab.after(50)
    lab.server.assign(1, [task('a')], { full: true, revision: { epoch: 3, number: 1 } })
    lab.server.assign(9, [], { full: true, revision: { epoch: 2, number: 9 } })
    await lab.after(50)
    expect(lab.server.heard('assignmentReject')).toHaveLength(1)
    expect(lab.engine.tasks().map((each) => each.assignment.shouldRun)).toEqual([true])
  })

  test('begin anew with each session, whatever their numbers', async () => {
    const lab = sessionLab()
    await lab.after(50)
    lab.server.assign(1, [], { full: true })
    lab.server.assign(2, [task('a')])
    await lab.after(50)
    lab.server.stream.end()
    await lab.after(2000)
    lab.server.assign(1, [task('a'), task('b')], { full: true })
    await lab.after(50)
    expect(lab.engine.tasks()).toHaveLength(2)
    expect(lab.server.heard('hello').at(-1)?.held).toEqual({ epoch: 1, number: 2 })
  })
})

describe('status reports', () => {
  test('tell of each step, many tasks in one', async () => {
    const lab = sessionLab()
    await lab.after(50)
    lab.server.assign(
      1,
      Array.from({ length: 450 }, (_, index) => task(`t${index}`, [container('app')], { shouldRun: false })),
      { full: true },
    )
    await lab.after(200)
    const reports = lab.server.heard('statusReport')
    expect(reports.map((report) => report.tasks.length)).toEqual([200, 200, 50])
    expect(reports.map((report) => report.sequence)).toEqual([1, 2, 3])
  })

  test('go one at a time, again until acknowledged, and then with the newest word', async () => {
    const lab = sessionLab()
    lab.server.habits.acknowledgesReports = false
    await lab.after(50)
    lab.server.assign(1, [task('a')], { full: true })
    await lab.after(2000)
    const app = [...lab.world.containers.values()][0]
    lab.world.kill(app?.runtimeId ?? '')
    await lab.after(14_000)
    const reports = lab.server.heard('statusReport')
    expect(reports).toHaveLength(4)
    expect(new Set(reports.map((report) => report.sequence))).toEqual(new Set([1]))
    lab.server.habits.acknowledgesReports = true
    await lab.after(6000)
    expect(lab.server.heard('statusReport').at(-1)).toMatchObject({
      sequence: 2,
      tasks: [{ taskArn: taskArnOf('a'), status: taskStatusRank.STOPPED }],
    })
  })

  test('are all said again to whoever welcomes the host', async () => {
    const lab = sessionLab()
    await lab.after(50)
    lab.server.assign(1, [task('a'), task('b')], { full: true })
    await lab.after(2000)
    lab.server.stream.end()
    await lab.after(2000)
    const last = lab.server.heard('statusReport').at(-1)
    expect(last?.tasks.map((each) => each.status)).toEqual([taskStatusRank.RUNNING, taskStatusRank.RUNNING])
  })

  test('are about a death within half a second of it', async () => {
    const lab = sessionLab()
    await lab.after(50)
    lab.server.assign(1, [task('a')], { full: true })
    await lab.after(2000)
    lab.world.kill([...lab.world.containers.keys()][0] ?? '')
    await lab.after(100)
    expect(lab.server.heard('statusReport').at(-1)?.tasks[0]?.status).toBe(taskStatusRank.STOPPED)
  })
})

describe('heartbeats', () => {
  test('come at the interval that was asked for, and say how the engine is', async () => {
    const lab = sessionLab()
    await lab.after(10_500)
    expect(lab.server.heard('heartbeat')).toHaveLength(10)
    lab.world.breakEngine('away')
    await lab.after(20_000)
    expect(lab.server.heard('heartbeat').at(-1)).toMatchObject({ engineHealthy: false })
    expect(lab.server.heard('heartbeat').at(-1)?.engineMessage).not.toBe('')
    lab.world.mendEngine()
    await lab.after(20_000)
    expect(lab.server.heard('heartbeat').at(-1)).toMatchObject({ engineHealthy: true, engineMessage: '' })
  })

  test('without an answer end the session, and the next one begins', async () => {
    const lab = sessionLab()
    await lab.after(1500)
    lab.server.habits.answersHeartbeats = false
    await lab.after(4000)
    expect(lab.server.streams).toHaveLength(2)
    expect(lab.server.streams.map((stream) => stream.isOpen)).toEqual([false, true])
  })
})
