import { isWaiting } from '@berth/control-plane/cell/records.ts'
import { taskStatusRank, type TaskStatus } from '@berth/shared/task-status.ts'
import { randomBelow } from '@berth/shared/random.ts'
import { happens, oneByWeight, oneOf, someTime } from './choice.ts'
import { images, launchOf, percentages, serviceFamilies, taskFamilies } from './definitions.ts'
import type { EcsInput } from '@berth/control-plane/api/operation.ts'
import { taskIdOf } from './invariants/view.ts'
import type { ServiceRecord } from '@berth/control-plane/cell/records.ts'
import type { Simulation } from './simulation.ts'
import type { SimulatedControlPlane } from './simulated-control-plane.ts'
import type { SimulatedHost } from './simulated-host.ts'

interface Action {
  /** How often it is done, against the others. */
  readonly weight: number
  readonly act: (sim: Simulation) => void
}

/** What users, chance and malice do to a cell. */
const actions: readonly Action[] = [
  { weight: 14, act: runTasks },
  { weight: 6, act: stopOneTask },
  { weight: 10, act: createOneService },
  { weight: 12, act: updateOneService },
  { weight: 2, act: deleteOneService },
  { weight: 8, act: readTasks },
  { weight: 4, act: drainOrActivate },
  { weight: 3, act: changeRebalancing },
  { weight: 6, act: killContainer },
  { weight: 2, act: loseImage },
  { weight: 4, act: killAgent },
  { weight: 4, act: killPlane },
  { weight: 3, act: freezePlane },
  { weight: 4, act: breakStreams },
  { weight: 3, act: cutHost },
  { weight: 4, act: worsenWay },
  { weight: 5, act: breakStore },
  { weight: 3, act: breakEngine },
]

/** Does one thing to the cell, by chance. */
export const actOnce = (sim: Simulation): void => oneByWeight(sim.random, actions).act(sim)

/** Mostly the leader, sometimes whoever is there. */
const somePlane = (sim: Simulation): SimulatedControlPlane =>
  (happens(sim.random, 0.85) && sim.leader) || oneOf(sim.random, sim.planes)

const someHost = (sim: Simulation): SimulatedHost => oneOf(sim.random, sim.hosts)

function runTasks(sim: Simulation): void {
  const family = oneOf(sim.random, taskFamilies)
  const count = 1 + randomBelow(sim.random, 3)
  const overrides = happens(sim.random, 0.2) ? { containerOverrides: [{ name: 'app', cpu: 96 }] } : undefined
  const tags = queueTags(sim)
  const input = { taskDefinition: family, count, ...launchOf(family), ...(overrides && { overrides }), tags }
  sim.history.note(`RunTask ${family} x ${count}`)
  sim.call(somePlane(sim), 'RunTask', input, (answer) => {
    if (answer.kind !== 'answered') return sim.history.note(`RunTask ${family}: ${answer.kind}, ${answer.message}`)
    const ids = (answer.output.tasks ?? []).map(({ taskArn = '' }) => taskIdOf(taskArn))
    for (const id of ids) sim.ledger.started.add(id)
    if (ids.length < count) sim.tally.add('a task had no room')
    return sim.history.note(`RunTask ${family}: ${ids.map((id) => id.slice(0, 8)).join(' ')}`)
  })
}

/** Some tasks wait if they have no room, with more or less right to it, together or each for itself, and some not for ever. */
function queueTags({ random }: Simulation): { readonly key: string; readonly value: string }[] {
  if (!happens(random, 0.4)) return []
  return [
    { key: 'berth:queue', value: 'enabled' },
    { key: 'berth:priority', value: String(randomBelow(random, 3)) },
    ...(happens(random, 0.4) ? [{ key: 'berth:gang', value: 'true' }] : []),
    ...(happens(random, 0.2) ? [{ key: 'berth:queue-timeout', value: '20s' }] : []),
  ]
}

function stopOneTask(sim: Simulation): void {
  const tasks = [...sim.records.tasks.values()].filter(({ lastStatus }) => lastStatus !== 'STOPPED')
  if (tasks.length > 0) stopTask(sim, oneOf(sim.random, tasks).id)
}

function stopTask(sim: Simulation, id: string): void {
  sim.history.note(`StopTask ${id.slice(0, 8)}`)
  sim.call(somePlane(sim), 'StopTask', { task: id }, (answer) => {
    if (answer.kind === 'answered') sim.ledger.stopped.add(id)
    else sim.history.note(`StopTask ${id.slice(0, 8)}: ${answer.kind}, ${answer.message}`)
  })
}

const someService = (sim: Simulation): string => oneOf(sim.random, Object.keys(serviceFamilies))
const isThere = (sim: Simulation, name: string): boolean =>
  sim.records.services.get(`default/${name}`)?.status === 'ACTIVE' && !sim.ledger.deleted.has(name)

/** Calls that change what a service is to be, one at a time for each: else nobody could tell which was the last. */
const busyServices = new WeakMap<Simulation, Set<string>>()
function begin(sim: Simulation, name: string): boolean {
  const busy = busyServices.get(sim) ?? new Set()
  busyServices.set(sim, busy)
  if (busy.has(name)) return false
  busy.add(name)
  return true
}
const done = (sim: Simulation, name: string) => busyServices.get(sim)?.delete(name)

function createOneService(sim: Simulation): void {
  const name = someService(sim)
  if (sim.records.services.get(`default/${name}`)?.status === 'ACTIVE' || !begin(sim, name)) return
  const family = oneOf(sim.random, serviceFamilies[name] ?? [])
  const { minimum: minimumHealthyPercent, maximum: maximumPercent, counts } = oneOf(sim.random, percentages)
  const desiredCount = oneOf<number>(sim.random, counts)
  const input = {
    serviceName: name,
    taskDefinition: family,
    desiredCount,
    ...launchOf(family),
    deploymentConfiguration: { minimumHealthyPercent, maximumPercent },
  }
  sim.history.note(
    `CreateService ${name} of ${family} x ${desiredCount}, ${minimumHealthyPercent} to ${maximumPercent} %`,
  )
  sim.call(somePlane(sim), 'CreateService', input, (answer) => {
    done(sim, name)
    if (answer.kind !== 'answered') return sim.history.note(`CreateService ${name}: ${answer.kind}, ${answer.message}`)
    sim.ledger.deleted.delete(name)
    sim.ledger.desiredCounts.set(name, new Set([desiredCount]))
    return undefined
  })
}

function updateOneService(sim: Simulation): void {
  const name = someService(sim)
  const counts = sim.ledger.desiredCounts.get(name)
  if (!isThere(sim, name) || !counts || !begin(sim, name)) return
  const current = sim.records.services.get(`default/${name}`)
  const family = oneOf(sim.random, serviceFamilies[name] ?? [])
  const sameLaunch = launchOf(family).launchType === current?.launchType
  const desiredCount = oneOf(sim.random, possibleCounts(current))
  const input = {
    service: name,
    desiredCount,
    ...(sameLaunch && happens(sim.random, 0.6) && { taskDefinition: family, ...withoutType(family) }),
    ...(happens(sim.random, 0.15) && { forceNewDeployment: true }),
  }
  sim.history.note(`UpdateService ${name} ${JSON.stringify(input)}`)
  counts.add(desiredCount)
  sim.call(somePlane(sim), 'UpdateService', input, (answer) => {
    done(sim, name)
    if (answer.kind === 'answered') sim.ledger.desiredCounts.set(name, new Set([desiredCount]))
    else sim.history.note(`UpdateService ${name}: ${answer.kind}, ${answer.message}`)
  })
}

function possibleCounts(service: ServiceRecord | undefined): readonly number[] {
  const { minimumHealthyPercent, maximumPercent } = service?.deploymentConfiguration ?? {}
  const row = percentages.find(
    ({ minimum, maximum }) => minimum === minimumHealthyPercent && maximum === maximumPercent,
  )
  return row?.counts ?? [0]
}

function withoutType(family: string) {
  const { networkConfiguration } = launchOf(family)
  return networkConfiguration && { networkConfiguration }
}

function deleteOneService(sim: Simulation): void {
  const name = someService(sim)
  if (!isThere(sim, name) || !begin(sim, name)) return
  sim.history.note(`DeleteService ${name}`)
  sim.ledger.deleted.add(name)
  sim.call(somePlane(sim), 'DeleteService', { service: name, force: true }, () => done(sim, name))
}

/** A reader asks whoever is there; nothing that it is shown may be older than what was shown before. */
function readTasks(sim: Simulation): void {
  readTasksFrom(sim, oneOf(sim.random, sim.planes))
}

function readTasksFrom(sim: Simulation, plane: SimulatedControlPlane): void {
  const known = [...sim.records.tasks.keys()]
  const asked = known.slice(-20)
  if (asked.length === 0) return
  const shownBefore = new Map(sim.ledger.seenStatus)
  sim.call(plane, 'DescribeTasks', { tasks: asked }, (answer) => {
    if (answer.kind !== 'answered') return
    sim.tally.add('a task was described')
    for (const { taskArn = '', lastStatus = '' } of answer.output.tasks ?? [])
      sim.sawStatus(showStatus(sim, shownBefore, taskIdOf(taskArn), lastStatus))
    for (const { arn = '' } of answer.output.failures ?? [])
      if (shownBefore.has(taskIdOf(arn))) sim.sawStatus(`task ${arn} was described before and is MISSING`)
  })
}

const rankOf = (status: string | undefined): number => taskStatusRank[status as TaskStatus] ?? 0

function showStatus(
  sim: Simulation,
  before: ReadonlyMap<string, string>,
  id: string,
  status: string,
): string | undefined {
  const seen = before.get(id)
  if (rankOf(seen) > rankOf(status)) return `a reader was shown task ${id} as ${seen} and later as ${status}`
  if (rankOf(status) > rankOf(sim.ledger.seenStatus.get(id))) sim.ledger.seenStatus.set(id, status)
  return undefined
}

function drainOrActivate(sim: Simulation): void {
  const hosts = [...sim.records.hosts.values()]
  if (hosts.length === 0) return
  const host = oneOf(sim.random, hosts)
  const status = host.status === 'ACTIVE' && hosts.every((each) => each.status === 'ACTIVE') ? 'DRAINING' : 'ACTIVE'
  sim.history.note(`host ${host.id.slice(0, 4)} to ${status}`)
  sim.call(somePlane(sim), 'UpdateContainerInstancesState', { containerInstances: [host.id], status })
}

/** Also what services do of themselves once a host is back: by default their zones are evened out. */
function changeRebalancing(sim: Simulation): void {
  const value = oneOf(sim.random, ['disabled', 'spread', 'spread', 'empty-hosts'])
  const budget = oneOf(sim.random, ['1', '3'])
  const settings = [
    { name: 'berth.rebalancing', value },
    { name: 'berth.rebalancingBudget', value: budget },
  ] as unknown as EcsInput<'UpdateClusterSettings'>['settings']
  sim.history.note(`rebalancing ${value}, ${budget} at once`)
  sim.call(somePlane(sim), 'UpdateClusterSettings', { cluster: 'default', settings })
}

function killContainer(sim: Simulation): void {
  const { name, world } = someHost(sim)
  const running = [...world.containers.values()].filter(({ state }) => state === 'running')
  if (running.length === 0) return
  const { runtimeId, wanted } = oneOf(sim.random, running)
  sim.history.note(
    `${wanted.identity.containerName} of ${taskIdOf(wanted.identity.taskArn).slice(0, 8)} dies on ${name}`,
  )
  world.kill(runtimeId)
}

function loseImage(sim: Simulation): void {
  sim.history.note('the rare image is gone')
  sim.missingImages.add(images.rare)
  for (const { world } of sim.hosts) world.images.delete(images.rare)
  sim.clock.after(2000 + someTime(sim.random), () => sim.missingImages.delete(images.rare))
}

/** Often while it has just been given something to do, so that it dies between its promises and its deeds. */
function killAgent(sim: Simulation): void {
  const host = someHost(sim)
  const isBusy = happens(sim.random, 0.6)
  if (isBusy) runTasks(sim)
  sim.clock.after(isBusy ? randomBelow(sim.random, 60) : 0, () => killAndStartAgain(sim, host))
}

function killAndStartAgain(sim: Simulation, host: SimulatedHost): void {
  sim.history.note(`the agent of ${host.name} dies`)
  host.kill()
  sim.clock.after(someTime(sim.random) * (happens(sim.random, 0.1) ? 4 : 1), () => {
    host.start()
    sim.history.note(`the agent of ${host.name} starts`)
  })
}

function killPlane(sim: Simulation): void {
  const index = randomBelow(sim.random, sim.planes.length)
  sim.history.note(`${sim.planes[index]?.address} dies`)
  sim.killPlane(index, someTime(sim.random))
}

/**
 * A long pause of a process, as of a machine that swaps: it wakes up and believes that no time has passed. Meanwhile a reader asks whoever
 * leads, and then the one that is about to wake up.
 */
function freezePlane(sim: Simulation): void {
  const plane = (happens(sim.random, 0.7) && sim.leader) || oneOf(sim.random, sim.planes)
  sim.history.note(`${plane.address} freezes`)
  plane.process.freeze()
  const lasts = 1000 + randomBelow(sim.random, 12_000)
  sim.clock.after(lasts - 200, () => sim.leader && readTasksFrom(sim, sim.leader))
  sim.clock.after(lasts - 20, () => readTasksFrom(sim, plane))
  sim.clock.after(lasts, () => {
    sim.history.note(`${plane.address} thaws`)
    plane.process.thaw()
  })
}

function breakStreams(sim: Simulation): void {
  const host = someHost(sim)
  sim.history.note(`the streams of ${host.name} break`)
  sim.network.breakStreams(host.name)
}

function cutHost(sim: Simulation): void {
  const host = someHost(sim)
  sim.history.note(`${host.name} is cut off`)
  sim.network.way(host.name).cut = true
  const lasts = happens(sim.random, 0.4) ? 60_000 + randomBelow(sim.random, 40_000) : someTime(sim.random)
  sim.clock.after(lasts, () => {
    sim.history.note(`${host.name} is reached again`)
    sim.network.mend(host.name)
  })
}

const goodWay = { slowestMs: 3, doubling: 0, loss: 0 }

function worsenWay(sim: Simulation): void {
  const { name } = someHost(sim)
  const way = sim.network.way(name)
  sim.history.note(`messages of ${name} come late, twice or not at all`)
  Object.assign(way, { slowestMs: 10 + randomBelow(sim.random, 3000), doubling: 0.3, loss: 0.1 })
  sim.clock.after(5000 + 2 * someTime(sim.random), () => Object.assign(way, goodWay))
}

function breakStore(sim: Simulation): void {
  const { storeFaults, random } = sim
  const how = oneOf(random, ['away', 'slow and losing answers', 'far from its leader'] as const)
  sim.history.note(`the store is ${how}`)
  if (how === 'away') storeFaults.away = true
  else if (how === 'far from its leader') {
    const { address } = sim.leader ?? oneOf(random, sim.planes)
    storeFaults.detour = { address, slowestMs: 12_000 }
  } else Object.assign(storeFaults, { answerLoss: 0.3, slowestMs: 1 + randomBelow(random, 1500) })
  const lasts = how === 'far from its leader' ? 5000 + someTime(random) : someTime(random)
  sim.clock.after(lasts, () => mendStore(sim))
}

const mendStore = (sim: Simulation) =>
  Object.assign(sim.storeFaults, { away: false, answerLoss: 0, slowestMs: 4, detour: undefined })

function breakEngine(sim: Simulation): void {
  const { name, world } = someHost(sim)
  const how = oneOf(sim.random, ['away', 'hung', 'lossy'] as const)
  sim.history.note(`the engine of ${name} is ${how}`)
  if (how === 'lossy') Object.assign(world.faults, { eventLoss: 0.5, answerLoss: 0.3 })
  else world.breakEngine(how)
  sim.clock.after(3 * someTime(sim.random), () => mendEngine(world))
}

/** An engine that was away tells so; one that lost events does not know. */
function mendEngine(world: SimulatedHost['world']): void {
  Object.assign(world.faults, { eventLoss: 0, answerLoss: 0 })
  if (world.faults.away || world.faults.hung) world.mendEngine()
}

/** Ends all that is wrong, for good. */
export function stopFaults(sim: Simulation): void {
  sim.history.note('the faults stop')
  mendStore(sim)
  sim.missingImages.clear()
  for (const host of sim.hosts) {
    host.start()
    mendEngine(host.world)
    Object.assign(sim.network.way(host.name), goodWay)
    sim.network.mend(host.name)
  }
  for (const { process } of sim.planes) process.thaw()
}

/** Stops single tasks, which hold room that services may need, and those who wait. */
export function stopSingleTasks(sim: Simulation): void {
  if (!sim.leader) return
  for (const task of sim.records.tasks.values())
    if (task.serviceName === undefined && task.desiredStatus === 'RUNNING' && !isWaiting(task)) stopTask(sim, task.id)
}

/** Takes hosts that drain back. */
export function activateHosts(sim: Simulation): void {
  const drained = [...sim.records.hosts.values()].filter(({ status }) => status === 'DRAINING').map(({ id }) => id)
  if (sim.leader && drained.length > 0)
    sim.call(sim.leader, 'UpdateContainerInstancesState', { containerInstances: drained, status: 'ACTIVE' })
}
