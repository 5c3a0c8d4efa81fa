import { arnOfContainer, arnOfTask } from '@berth/control-plane/cell/task-arns.ts'
import { memoryStore } from '@berth/control-plane/store/memory/memory-store.ts'
import { applyStatusReport } from '@berth/control-plane/dispatch/status-intake.ts'
import type { TaskRecord } from '@berth/control-plane/cell/records.ts'
import { systemClock } from '@berth/shared/clock.ts'
import { TaskReport } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { containerStatusRank, taskStatusRank } from '@berth/shared/task-status.ts'
import { median, type Row } from '../measure.ts'
import { type BenchCell, family, scope, startBenchCell, tasksPerHost } from './bench-cell.ts'

/** What is asked of a decision, its record and its event, in tasks per CPU second. */
const askedPerCpuSecond = 20_000
/** RunTasks that are under way at once, and so share a batch: as many clients as `pnpm bench run-task` has. */
const atOnce = 32

/** Tasks per CPU second, all of this process counted, the store in memory among it. */
export async function memoryRows(hosts: number, short: boolean): Promise<Row[]> {
  const rounds = short ? 3 : 5
  const tasksPerRound = short ? 2000 : 20_000
  const rows: Row[] = []
  for (const count of [1, 10, 500]) {
    const bench = await startBenchCell(memoryStore({ clock: systemClock }), hosts)
    let events = 0
    bench.cell.onDurable((changes) => (events += changes.length))
    const placing: number[] = []
    const reporting: number[] = []
    const mostRounds = Math.floor((hosts * tasksPerHost * 0.9) / tasksPerRound)
    for (let round = 0; round < Math.min(rounds, mostRounds); round++) {
      placing.push(await perCpuSecond(tasksPerRound, () => placeTasks(bench, tasksPerRound, count)))
      const placed = [...bench.cell.tables.tasks.values()].slice(-tasksPerRound)
      reporting.push(await perCpuSecond(tasksPerRound, () => reportRunning(bench, placed)))
    }
    if (events < 2 * tasksPerRound) throw new Error('fewer events than changes')
    const rate = median(placing)
    rows.push({
      what: `RunTask of ${count}, ${hosts} hosts, no disk: tasks decided, recorded and told, per CPU second`,
      figure: rate,
      unit: '/s',
      // One by one is what other schedulers' benchmarks do.
      ...(count === 1 && { asked: `>= ${askedPerCpuSecond}`, reached: rate >= askedPerCpuSecond }),
    })
    rows.push({ what: '  their reports that they run, per CPU second', figure: median(reporting), unit: '/s' })
    bench.cell.close('measured')
  }
  return rows
}

async function placeTasks({ handlers, context }: BenchCell, tasks: number, count: number): Promise<void> {
  let left = tasks
  const caller = async () => {
    while (left > 0) {
      left -= count
      const answer = await handlers.RunTask?.({ taskDefinition: family, count }, context)
      if (answer?.tasks?.length !== count) throw new Error('not every task was placed')
    }
  }
  await Promise.all(Array.from({ length: atOnce }, caller))
}

/** As hosts report: what has changed on one, in one word. */
async function reportRunning({ cell, deps }: BenchCell, tasks: readonly TaskRecord[]): Promise<void> {
  const byHost = [...Map.groupBy(tasks, ({ hostId = '' }) => hostId)]
  await Promise.all(
    byHost.map(([hostId, ofHost]) =>
      cell.transact((tx) => applyStatusReport(tx, hostId, ofHost.map(runningReport), deps)),
    ),
  )
}

/** What a host says of a task that runs. */
export const runningReport = (task: TaskRecord): TaskReport =>
  TaskReport.fromPartial({
    taskArn: arnOfTask(scope, task),
    status: taskStatusRank.RUNNING,
    pullStartedAt: task.createdAt + 10,
    pullStoppedAt: task.createdAt + 200,
    startedAt: task.createdAt + 400,
    containers: task.containers.map(({ name, id }) => ({
      name,
      containerArn: arnOfContainer(scope, task, { id }),
      status: containerStatusRank.RUNNING,
      runtimeId: task.id.repeat(2),
      healthStatus: 'UNKNOWN',
    })),
  })

async function perCpuSecond(operations: number, work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return operations / ((user + system) / 1e6)
}
