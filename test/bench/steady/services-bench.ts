import { parseArgs } from 'node:util'
import { median, type Row } from '../measure.ts'
import { reportRows } from '../report-rows.ts'
import { idlePart, type LabFleet, startLabFleet } from './lab-fleet.ts'

const whole = { services: 5000, tasks: 50_000, hosts: 500 }
const askedPart = 0.1
const askedMs = 100
/** CreateServices under way at once. */
const callers = 8
const restSeconds = 10
/** Changes of one service that are timed. */
const changes = 20

/**
 * Services at rest: what their control plane takes while nothing changes, and how soon it acts when one of them is changed.
 */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      services: { type: 'string', default: String(whole.services) },
      tasks: { type: 'string', default: String(whole.tasks) },
      hosts: { type: 'string', default: String(whole.hosts) },
      seconds: { type: 'string', default: '30' },
      json: { type: 'string' },
    },
  })
  const services = Number(values.services)
  const tasks = Number(values.tasks)
  const hosts = Number(values.hosts)
  const isShort = services < whole.services || tasks < whole.tasks
  const fleet = await startLabFleet(hosts, Math.ceil(tasks / hosts))
  try {
    const hostsOnly = await idlePart(fleet, Number(values.seconds) / 2)
    const created = await create(fleet, services, Math.ceil(tasks / services))
    await idlePart(fleet, restSeconds)
    const part = await idlePart(fleet, Number(values.seconds))
    const waits = await changeOne(fleet, services, Math.ceil(tasks / services))
    const acted = median(waits)
    const rows: Row[] = [
      { what: `${services} services of ${tasks} tasks on ${hosts} hosts: until all run`, figure: created, unit: 's' },
      { what: 'control plane at rest, hosts only', figure: hostsOnly * 100, unit: '% of a core' },
      {
        what: '  with the services',
        figure: part * 100,
        unit: '% of a core',
        ...(!isShort && { asked: `< ${askedPart * 100} %`, reached: part < askedPart }),
      },
      {
        what: 'UpdateService of one, until a host has the new task in its journal: half within',
        figure: acted,
        unit: 'ms',
        ...(!isShort && { asked: `< ${askedMs} ms`, reached: acted < askedMs }),
      },
      { what: '  the slowest', figure: Math.max(...waits), unit: 'ms' },
    ]
    reportRows({ bench: 'services', short: isShort, json: values.json, rows })
    return 0
  } finally {
    await fleet.stop()
  }
}

const nameOf = (service: number): string => `service-${service}`

async function create(fleet: LabFleet, services: number, each: number): Promise<number> {
  const { cluster, workers, taskDefinition, until } = fleet
  const from = performance.now()
  let next = 0
  const caller = async () => {
    while (next < services)
      await cluster.ecs('CreateService', {
        cluster: cluster.cluster,
        serviceName: nameOf(next++),
        taskDefinition,
        desiredCount: each,
        launchType: 'EC2',
      })
  }
  await Promise.all(Array.from({ length: callers }, caller))
  await until(async () => workers.news().started >= services * each)
  return (performance.now() - from) / 1000
}

/** One task more, from the request to the host that has taken it on. */
async function changeOne({ cluster, workers, until }: LabFleet, services: number, each: number): Promise<number[]> {
  const waits: number[] = []
  for (let change = 0; change < changes; change++) {
    const service = nameOf(Math.floor((services / changes) * change))
    const before = workers.news().assigned
    const from = Date.now()
    await cluster.ecs('UpdateService', { cluster: cluster.cluster, service, desiredCount: each + 1 })
    await until(async () => workers.news().assigned > before, 20)
    waits.push(workers.news().lastAssignedAt - from)
  }
  return waits
}
