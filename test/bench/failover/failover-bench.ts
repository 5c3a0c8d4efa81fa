import { randomUUID } from 'node:crypto'
import { parseArgs } from 'node:util'
import { Redis } from 'ioredis'
import { type ControlPlanes, startControlPlanes } from '../../control-planes/control-planes.ts'
import { median, type Row } from '../measure.ts'
import { reportRows } from '../report-rows.ts'
import { clientOf, connectedHosts, fill, startFleet, taskDefinition, tasksPerCall, until } from './fleet.ts'

/** What the figure that is asked for speaks of. */
const whole = { hosts: 1000, tasks: 50_000 }
const askedAfterLeaseMs = 5000

interface Round {
  /** What was left of the lease when its holder was killed. */
  readonly leaseLeftMs: number
  readonly placedAfterMs: number
  /** From the kill until a new leader said so, and until it had all hosts back. */
  readonly ledAfterMs: number
  readonly hostsBackAfterMs: number
}

/**
 * Three control planes over one Redis, fake hosts full of tasks: the leader is killed, and a caller asks for one more task until it is placed. Callers,
 * hosts and control planes share this machine.
 */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      hosts: { type: 'string', default: '200' },
      tasks: { type: 'string', default: '10000' },
      rounds: { type: 'string', default: '3' },
      lease: { type: 'string', default: '5s' },
      json: { type: 'string' },
    },
  })
  const [hosts, tasks] = [Number(values.hosts), Number(values.tasks)]
  const settings = { BERTH_LEASE: values.lease, BERTH_RUN_TASK_LIMIT: String(tasksPerCall), BERTH_LOG_LEVEL: 'warn' }
  const cluster = await startControlPlanes({ settings })
  const rounds: Round[] = []
  try {
    const workers = await startFleet(cluster, hosts)
    try {
      await fill(cluster, workers, tasks)
      for (let round = 0; round < Number(values.rounds); round++) {
        rounds.push(await failOver(cluster, hosts))
        process.stderr.write(`round ${round + 1}: ${JSON.stringify(rounds.at(-1))}\n`)
      }
    } finally {
      await workers.stop()
    }
  } finally {
    await cluster.stop()
  }
  const short = hosts < whole.hosts || tasks < whole.tasks
  reportRows({ bench: 'failover', short, json: values.json, rows: rowsOf(rounds, hosts, tasks) })
  return 0
}

async function failOver(cluster: ControlPlanes, hosts: number): Promise<Round> {
  const leader = await cluster.leader()
  const leaseLeftMs = await leaseLeft(cluster.redis.url)
  const killedAt = performance.now()
  const since = () => performance.now() - killedAt
  const placing = placeOne(cluster).then(since)
  await leader.kill()
  await cluster.leader(leader)
  const ledAfterMs = since()
  const placedAfterMs = await placing
  await until(async () => (await connectedHosts(cluster)) === hosts)
  const hostsBackAfterMs = since()
  leader.start()
  await until(async () => (await leader.health()) !== undefined)
  return { leaseLeftMs, placedAfterMs, ledAfterMs, hostsBackAfterMs }
}

/** One task, asked for under one token until it is there: what was answered before the kill does not count, since the call begins after it. */
async function placeOne(cluster: ControlPlanes): Promise<void> {
  const ecs = clientOf(cluster)
  const clientToken = randomUUID()
  // The kill is on its way: a call that the old leader still answers would measure nothing.
  await new Promise((resolve) => setTimeout(resolve, 50))
  for (;;) {
    const answer = await ecs<{ tasks: readonly unknown[] }>('RunTask', { taskDefinition, clientToken }).catch(
      () => undefined,
    )
    if (answer?.tasks.length === 1) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** By Redis's own clock, in ms. */
async function leaseLeft(url: string): Promise<number> {
  const redis = new Redis(url, { protocol: 2 })
  const [deadline] = await redis.hmget('{berth:default}:cell', 'deadline')
  const [seconds = 0, micros = 0] = (await redis.time()).map(Number)
  redis.disconnect()
  return Number(deadline) - seconds * 1000 - micros / 1000
}

function rowsOf(rounds: readonly Round[], hosts: number, tasks: number): Row[] {
  const of = (figure: (round: Round) => number) => rounds.map(figure)
  const afterLease = of(({ placedAfterMs, leaseLeftMs }) => placedAfterMs - leaseLeftMs)
  const worst = Math.max(...afterLease)
  return [
    { what: 'hosts', figure: hosts, unit: '' },
    { what: 'tasks', figure: tasks, unit: '' },
    { what: 'left of the lease at the kill, median', figure: median(of((r) => r.leaseLeftMs)), unit: 'ms' },
    { what: 'kill to the first new placement, median', figure: median(of((r) => r.placedAfterMs)), unit: 'ms' },
    { what: "the lease's end to it, median", figure: median(afterLease), unit: 'ms' },
    {
      what: "the lease's end to it, worst",
      figure: worst,
      unit: 'ms',
      asked: `< ${askedAfterLeaseMs} ms`,
      reached: worst < askedAfterLeaseMs,
    },
    { what: 'kill to a new leader, median', figure: median(of((r) => r.ledAfterMs)), unit: 'ms' },
    { what: 'kill to all hosts back, median', figure: median(of((r) => r.hostsBackAfterMs)), unit: 'ms' },
  ]
}
