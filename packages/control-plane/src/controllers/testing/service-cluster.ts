import type { ContainerReport, TaskReport as Report } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { TaskReport } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { containerStatusRank, taskStatusRank, type TaskStatus } from '@berth/shared/task-status.ts'
import { onTestFinished } from 'vitest'
import { testCluster } from '../../api/ecs/testing/test-cluster.ts'
import type { HostRecord, TaskRecord } from '../../cell/records.ts'
import { arnOfTask } from '../../cell/task-arns.ts'
import { applyTaskReport } from '../../cell/task-changes.ts'
import { daemonController } from '../daemons.ts'
import { rebalanceController } from '../rebalance.ts'
import { serviceController } from '../services.ts'
import { taskSetController } from '../task-sets.ts'

/** What hosts need for containers that have a health check. */
const healthCheckAttributes = [
  { name: 'ecs.capability.container-health-check', fromAgent: true },
  { name: 'com.amazonaws.ecs.capability.docker-remote-api.1.24', fromAgent: true },
]

/** A cluster with the controllers of services at work, whose hosts do what the test says. */
export async function clusterWithServices(hosts = 2, host: Partial<HostRecord> = {}) {
  const cluster = await testCluster({ hosts, host })
  const { cell, clock, deps } = cluster
  for (const each of cell.tables.hosts.values())
    await cluster.put('hosts', each.id, { ...each, attributes: [...each.attributes, ...healthCheckAttributes] })
  const defer = (run: () => void) => queueMicrotask(run)
  for (const controllerOf of [serviceController, daemonController, taskSetController, rebalanceController]) {
    const controller = controllerOf({ ...deps, defer })
    controller.start(cell)
    onTestFinished(() => controller.stop())
  }

  const tasks = () => Array.from(cell.tables.tasks.values())
  const report = (task: TaskRecord, status: TaskStatus, more: Partial<Report> = {}) =>
    cell.transact((tx) => {
      const now = clock.now()
      const known = tx.tables.tasks.get(task.id) as TaskRecord
      tx.put(
        'tasks',
        task.id,
        applyTaskReport(
          known,
          TaskReport.fromPartial({ taskArn: arnOfTask(deps.scope, task), status: taskStatusRank[status], ...more }),
          now,
        ),
      )
    })
  /** Hosts start what is to run and stop what is to stop. */
  const hostsWork = async () => {
    for (const task of tasks()) {
      if (task.lastStatus === 'STOPPED') continue
      if (task.desiredStatus === 'STOPPED') await report(task, 'STOPPED')
      else if (task.lastStatus === 'PENDING') await report(task, 'RUNNING')
    }
    await clock.settle()
  }
  const service = async (name = 'web') => {
    const { services } = await cluster.call('DescribeServices', { services: [name] })
    if (!services?.[0]) throw new Error(`no service ${name}`)
    return services[0]
  }
  const running = () =>
    tasks().filter(({ lastStatus, desiredStatus }) => lastStatus === 'RUNNING' && desiredStatus === 'RUNNING')
  /** A container's health check comes to say something of a running task. */
  const reportHealth = (task: TaskRecord, healthStatus: 'HEALTHY' | 'UNHEALTHY') =>
    report(task, 'RUNNING', {
      containers: task.containers.map(({ name }) => ({
        ...({ name, status: containerStatusRank.RUNNING, healthStatus } satisfies Partial<ContainerReport>),
      })) as Report['containers'],
    })
  /** Tasks that match fail before they run, as often as the service starts them. */
  const failPending = async (matches: (task: TaskRecord) => boolean = () => true) => {
    await clock.settle()
    for (const task of tasks())
      if (task.lastStatus === 'PENDING' && task.desiredStatus === 'RUNNING' && matches(task))
        await report(task, 'STOPPED', { stopCode: 'TaskFailedToStart' })
    await clock.settle()
  }
  /** What the service says of itself, newest first, without ids. */
  const said = async (name = 'web') =>
    (await service(name)).events?.map(({ message }) =>
      message?.replaceAll(/\(task [0-9a-f]+\)/g, '(task ID)').replaceAll(/ecs-svc\/\d+/g, 'ecs-svc/N'),
    )
  /** Registers the next revision of `web`. */
  const newRevision = (more: object = {}) =>
    cluster.call('RegisterTaskDefinition', {
      family: 'web',
      containerDefinitions: [{ name: 'main', image: 'busybox:2', memory: 256, cpu: 128, ...more }],
    })
  return { ...cluster, tasks, report, reportHealth, hostsWork, failPending, service, running, said, newRevision }
}
