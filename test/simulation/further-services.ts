import { randomBelow, type Random } from '@berth/shared/random.ts'
import type { ServiceRecord, TaskSetRecord } from '@berth/control-plane/cell/records.ts'
import { oneByWeight, oneOf } from './choice.ts'
import type { Simulation } from './simulation.ts'

/**
 * Two services of kinds that the driver's are not of: a DAEMON, and one that an external controller deploys by task sets. Their chance
 * comes from a stream of its own, so that the seeds of the driver stay what they are.
 */
interface FurtherAction {
  readonly weight: number
  readonly act: (sim: Simulation, random: Random) => void
}

const daemon = 'everywhere'
const external = 'outside'
const ofExternal = { cluster: 'default', service: external }
const definitions = ['web:1', 'web:2', 'rare'] as const
const shares = [0, 25, 50, 75, 100] as const

const actions: readonly FurtherAction[] = [
  { weight: 8, act: () => {} },
  { weight: 3, act: createServices },
  { weight: 2, act: updateDaemon },
  { weight: 2, act: scaleExternal },
  { weight: 3, act: createTaskSet },
  { weight: 4, act: updateTaskSet },
  { weight: 2, act: makePrimary },
  { weight: 2, act: deleteTaskSet },
]

/** Does one thing to them, or nothing, by chance. */
export const actOnFurtherServices = (sim: Simulation, random: Random): void =>
  oneByWeight(random, actions).act(sim, random)

const serviceNamed = (sim: Simulation, name: string): ServiceRecord | undefined => {
  const service = sim.records.services.get(`default/${name}`)
  return service?.status === 'ACTIVE' ? service : undefined
}

const taskSets = (sim: Simulation): TaskSetRecord[] =>
  [...sim.records.taskSets.values()].filter(({ status }) => status !== 'DRAINING')

/** What came of a call is seen in the records, or not: its process may have died. */
const ignored = (): void => {}

function createServices(sim: Simulation): void {
  const { leader } = sim
  if (!leader) return
  if (!serviceNamed(sim, daemon))
    sim.call(
      leader,
      'CreateService',
      { serviceName: daemon, taskDefinition: 'web:1', schedulingStrategy: 'DAEMON', launchType: 'EC2' },
      ignored,
    )
  if (!serviceNamed(sim, external))
    sim.call(
      leader,
      'CreateService',
      { serviceName: external, desiredCount: 2, deploymentController: { type: 'EXTERNAL' } },
      ignored,
    )
}

function updateDaemon(sim: Simulation, random: Random): void {
  const { leader } = sim
  if (!leader || !serviceNamed(sim, daemon)) return
  const taskDefinition = oneOf(random, definitions)
  sim.history.note(`UpdateService ${daemon} ${taskDefinition}`)
  sim.call(leader, 'UpdateService', { service: daemon, taskDefinition }, ignored)
}

function scaleExternal(sim: Simulation, random: Random): void {
  const { leader } = sim
  if (!leader || !serviceNamed(sim, external)) return
  const desiredCount = randomBelow(random, 3)
  sim.history.note(`UpdateService ${external} x ${desiredCount}`)
  sim.call(leader, 'UpdateService', { service: external, desiredCount }, ignored)
}

function createTaskSet(sim: Simulation, random: Random): void {
  const { leader } = sim
  if (!leader || !serviceNamed(sim, external) || taskSets(sim).length >= 2) return
  const [taskDefinition, value] = [oneOf(random, definitions), oneOf(random, shares)]
  sim.history.note(`CreateTaskSet of ${taskDefinition} at ${value} %`)
  sim.call(leader, 'CreateTaskSet', { ...ofExternal, taskDefinition, scale: { value, unit: 'PERCENT' } }, ignored)
}

function updateTaskSet(sim: Simulation, random: Random): void {
  const { leader } = sim
  const sets = taskSets(sim)
  if (!leader || sets.length === 0) return
  const [{ id }, value] = [oneOf(random, sets), oneOf(random, shares)]
  sim.history.note(`UpdateTaskSet ${id} to ${value} %`)
  sim.call(leader, 'UpdateTaskSet', { ...ofExternal, taskSet: id, scale: { value, unit: 'PERCENT' } }, ignored)
}

function makePrimary(sim: Simulation, random: Random): void {
  const { leader } = sim
  const sets = taskSets(sim)
  if (!leader || sets.length === 0) return
  sim.call(leader, 'UpdateServicePrimaryTaskSet', { ...ofExternal, primaryTaskSet: oneOf(random, sets).id }, ignored)
}

function deleteTaskSet(sim: Simulation, random: Random): void {
  const { leader } = sim
  const sets = taskSets(sim)
  if (!leader || sets.length === 0) return
  const { id } = oneOf(random, sets)
  sim.history.note(`DeleteTaskSet ${id}`)
  sim.call(leader, 'DeleteTaskSet', { ...ofExternal, taskSet: id, force: true }, ignored)
}
