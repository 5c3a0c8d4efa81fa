import type { Clock } from '@berth/shared/clock.ts'
import { newDeploymentId } from '@berth/shared/ids.ts'
import { type Random, randomUuid } from '@berth/shared/random.ts'
import type { Transaction } from './cell.ts'
import {
  type DeploymentRecord,
  type DeploymentState,
  type PastDeployment,
  serviceEventKey,
  type ServiceEventRecord,
  serviceKey,
  type ServiceRecord,
} from './records.ts'
import type { ReadonlyTables } from './tables.ts'

/** How many deployments a service remembers after they are gone. */
export const keptPastDeployments = 10

/** How many of its steps a deployment remembers: one that is rolled back to again and again has ever more. */
const keptDeploymentSteps = 20

/** How many events a service keeps: ECS shows the last 100. */
export const keptServiceEvents = 100

/** A new deployment's settings: everything about its tasks that a service can change over time. */
export type DeploymentPlan = Pick<
  DeploymentRecord,
  | 'taskDefinitionArn'
  | 'desiredCount'
  | 'launchType'
  | 'capacityProviderStrategy'
  | 'platformVersion'
  | 'networkConfiguration'
>

interface ChangeDeps {
  readonly clock: Clock
  readonly random: Random
}

/** A PRIMARY deployment that has yet to do everything. */
export function newDeployment({ clock, random }: ChangeDeps, plan: DeploymentPlan): DeploymentRecord {
  const id = newDeploymentId(random)
  const now = clock.now()
  return {
    id,
    status: 'PRIMARY',
    ...plan,
    createdAt: now,
    updatedAt: now,
    rolloutState: 'IN_PROGRESS',
    rolloutStateReason: `ECS deployment ${id} in progress.`,
    failedTasks: 0,
    throttleSteps: 0,
  }
}

/** The deployment that a service goes towards. A service that is not INACTIVE has one. */
export const primaryDeployment = (service: Pick<ServiceRecord, 'deployments'>): DeploymentRecord | undefined =>
  service.deployments.find(({ status }) => status === 'PRIMARY')

/** Makes `deployment` the service's PRIMARY one, first in its list; the one before stays ACTIVE until its tasks are gone. */
export function beginDeployment(service: ServiceRecord, deployment: DeploymentRecord, now: number): ServiceRecord {
  const before = service.deployments.map((earlier) =>
    earlier.status === 'PRIMARY'
      ? { ...withStep(earlier, 'REPLACED', now), status: 'ACTIVE' as const, updatedAt: now }
      : earlier,
  )
  return {
    ...service,
    taskDefinitionArn: deployment.taskDefinitionArn,
    deployments: [deployment, ...before],
    steady: false,
  }
}

/**
 * Makes a deployment that completed before the service's PRIMARY one again, with the tasks of it that still run; the one that failed stays
 * ACTIVE until its tasks are gone. What the service says of its tasks is that deployment's again.
 */
export function returnToDeployment(
  service: ServiceRecord,
  completed: DeploymentRecord,
  rolloutStateReason: string,
  now: number,
): ServiceRecord {
  const { launchType, capacityProviderStrategy, platformVersion, networkConfiguration } = completed
  const { notBefore: _waits, breakerFailures: _failures, ...settings } = completed
  const latest = service.deployments.find(({ id }) => id === completed.id) ?? pastDeployment(service, completed.id)
  const again: DeploymentRecord = {
    ...withStep({ ...settings, ...(latest?.steps !== undefined && { steps: latest.steps }) }, 'RETURNED', now),
    status: 'PRIMARY',
    desiredCount: service.desiredCount,
    updatedAt: now,
    rolloutState: 'IN_PROGRESS',
    rolloutStateReason,
    failedTasks: 0,
    throttleSteps: 0,
  }
  const { launchType: _type, platformVersion: _version, networkConfiguration: _network, ...rest } = service
  return beginDeployment(
    {
      ...rest,
      ...(capacityProviderStrategy.length === 0 && { launchType }),
      capacityProviderStrategy,
      ...(platformVersion !== undefined && { platformVersion }),
      ...(networkConfiguration !== undefined && { networkConfiguration }),
      deployments: service.deployments.filter(({ id }) => id !== completed.id),
      ...(service.pastDeployments !== undefined && {
        pastDeployments: service.pastDeployments.filter(({ id }) => id !== completed.id),
      }),
    },
    again,
    now,
  )
}

/** Changes members of one deployment of a service, and its `updatedAt`. */
export const changeDeployment = (
  service: ServiceRecord,
  deploymentId: string,
  changes: Partial<Omit<DeploymentRecord, 'id' | 'createdAt' | 'updatedAt'>>,
  now: number,
): ServiceRecord => ({
  ...service,
  deployments: service.deployments.map((deployment) =>
    deployment.id === deploymentId ? changed(deployment, changes, now) : deployment,
  ),
})

function changed(deployment: DeploymentRecord, changes: Partial<DeploymentRecord>, now: number): DeploymentRecord {
  const { rolloutState } = changes
  const moves = rolloutState !== undefined && rolloutState !== deployment.rolloutState
  return { ...(moves ? withStep(deployment, rolloutState, now) : deployment), ...changes, updatedAt: now }
}

/** Takes deployments out of a service's list: those that were replaced and have no task left. They are remembered as past ones. */
export const removeDeployments = (service: ServiceRecord, ids: ReadonlySet<string>): ServiceRecord => ({
  ...service,
  deployments: service.deployments.filter(({ id }) => !ids.has(id)),
  pastDeployments: [
    ...service.deployments.filter(({ id }) => ids.has(id)).map(asPast),
    ...(service.pastDeployments ?? []),
  ].slice(0, keptPastDeployments),
})

function asPast(deployment: DeploymentRecord): PastDeployment {
  const { id, taskDefinitionArn, desiredCount, createdAt, rolloutStateReason, steps = [] } = deployment
  return { id, taskDefinitionArn, desiredCount, createdAt, rolloutStateReason, steps }
}

const pastDeployment = ({ pastDeployments = [] }: ServiceRecord, wanted: string): PastDeployment | undefined =>
  pastDeployments.find(({ id }) => id === wanted)

const withStep = (deployment: DeploymentRecord, state: DeploymentState, at: number): DeploymentRecord => ({
  ...deployment,
  steps: [...(deployment.steps ?? []), [state, at] as const].slice(-keptDeploymentSteps),
})

/** Sets how many tasks a service is to have, and its PRIMARY deployment with it. */
export function scaleService(service: ServiceRecord, desiredCount: number, now: number): ServiceRecord {
  const primary = primaryDeployment(service)
  const scaled = { ...service, desiredCount, steady: false }
  return primary === undefined ? scaled : changeDeployment(scaled, primary.id, { desiredCount }, now)
}

/** The events of a service, newest first. */
export const serviceEvents = (tables: ReadonlyTables, cluster: string, name: string): ServiceEventRecord[] =>
  [...tables.serviceEvents.by('service', serviceKey(cluster, name))].sort((a, b) => b.sequence - a.sequence)

/** Writes an event of a service; of more than 100 the oldest goes. `message` is the whole sentence, `(service X) ...`. */
export function appendServiceEvent(
  tx: Transaction,
  { clock, random }: ChangeDeps,
  { cluster, name }: Pick<ServiceRecord, 'cluster' | 'name'>,
  message: string,
): void {
  const service = serviceKey(cluster, name)
  const events = serviceEvents(tx.tables, cluster, name)
  const sequence = (events[0]?.sequence ?? 0) + 1
  const event = { id: randomUuid(random), service, createdAt: clock.now(), message, sequence }
  tx.put('serviceEvents', serviceEventKey(service, sequence), event)
  for (const old of events.slice(keptServiceEvents - 1))
    tx.delete('serviceEvents', serviceEventKey(service, old.sequence))
}

/** Ends all events of a service: a new one of the same name starts with none. */
export function forgetServiceEvents(tx: Transaction, cluster: string, name: string): void {
  const service = serviceKey(cluster, name)
  for (const { sequence } of serviceEvents(tx.tables, cluster, name))
    tx.delete('serviceEvents', serviceEventKey(service, sequence))
}
