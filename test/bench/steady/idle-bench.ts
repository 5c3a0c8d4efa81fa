import { parseArgs } from 'node:util'
import { viewFleet } from '@berth/cli/lab/fleet-view.ts'
import type { Row } from '../measure.ts'
import { reportRows } from '../report-rows.ts'
import { idlePart, type LabFleet, startLabFleet } from './lab-fleet.ts'

const whole = { hosts: 10_000, tasks: 100_000 }
const askedPart = 0.25
const askedNoticedSeconds = 20
/** RunTasks under way at once while the hosts are filled. */
const callers = 8
/** From the last task that started until the cluster counts as resting, in seconds. */
const restSeconds = 10

/**
 * What a control plane takes that has all its hosts and tasks and is asked for nothing; then one host falls silent, and it is looked how long
 * that takes to show.
 */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      hosts: { type: 'string', default: String(whole.hosts) },
      tasks: { type: 'string', default: String(whole.tasks) },
      seconds: { type: 'string', default: '60' },
      json: { type: 'string' },
    },
  })
  const hosts = Number(values.hosts)
  const tasks = Number(values.tasks)
  const isShort = hosts < whole.hosts || tasks < whole.tasks
  const fleet = await startLabFleet(hosts, Math.ceil(tasks / hosts))
  try {
    const hostsOnly = await idlePart(fleet, Number(values.seconds) / 2)
    await fill(fleet, tasks)
    await idlePart(fleet, restSeconds)
    const part = await idlePart(fleet, Number(values.seconds))
    const noticed = await secondsUntilNoticed(fleet)
    const rows: Row[] = [
      { what: `control plane idle, ${hosts} hosts connected`, figure: hostsOnly * 100, unit: '% of a core' },
      {
        what: `  with ${tasks} tasks`,
        figure: part * 100,
        unit: '% of a core',
        ...(!isShort && { asked: `< ${askedPart * 100} %`, reached: part < askedPart }),
      },
      {
        what: 'a host falls silent, until agentConnected is false',
        figure: noticed,
        unit: 's',
        asked: `<= ${askedNoticedSeconds} s`,
        reached: noticed <= askedNoticedSeconds,
      },
    ]
    reportRows({ bench: 'idle', short: isShort, json: values.json, rows })
    return 0
  } finally {
    await fleet.stop()
  }
}

async function fill({ cluster, workers, taskDefinition, until }: LabFleet, tasks: number): Promise<void> {
  let left = tasks
  const caller = async () => {
    while (left > 0) {
      const count = Math.min(left, cluster.tasksPerCall)
      left -= count
      await cluster.ecs('RunTask', { cluster: cluster.cluster, taskDefinition, count, launchType: 'EC2' })
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  await until(async () => workers.news().started >= tasks)
}

/** Asks once in a while, so that the answer is late by no more than that. */
const askEveryMs = 250

async function secondsUntilNoticed({ cluster, workers, until }: LabFleet): Promise<number> {
  const before = await viewFleet(cluster.ecs, cluster.cluster)
  await workers.order('kill', [1])
  const from = performance.now()
  let arn: string | undefined
  await until(async () => {
    // Which of them host 1 is, only the control plane's own numbers say: all are looked at until one is gone.
    const now = await viewFleet(cluster.ecs, cluster.cluster)
    arn = now.find(({ connected }) => !connected)?.arn
    return arn !== undefined
  }, askEveryMs)
  if (before.some((host) => host.arn === arn && !host.connected)) throw new Error('A host was away before.')
  return (performance.now() - from) / 1000
}
