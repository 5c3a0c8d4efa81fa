import type { Invariant } from './view.ts'

/** A task that RunTask was answered with exists. (Nothing here lasts as long as stopped tasks are kept.) */
export const startedTasksExist: Invariant = ({ records, ledger }) => {
  for (const id of ledger.started) if (!records.tasks.has(id)) return `task ${id} was acknowledged and does not exist`
  return undefined
}

/** A task whose StopTask was answered is to stop, for ever. */
export const stoppedTasksStaySo: Invariant = ({ records, ledger }) => {
  for (const id of ledger.stopped)
    if (records.tasks.get(id)?.desiredStatus !== 'STOPPED')
      return `the stop of task ${id} was acknowledged and forgotten`
  return undefined
}

/** A service has a desired count that somebody asked for, and not one from before the last answer. */
export const servicesKeepTheirCounts: Invariant = ({ records, ledger }) => {
  for (const [name, counts] of ledger.desiredCounts) {
    if (ledger.deleted.has(name)) continue
    const service = records.services.get(`default/${name}`)
    if (!service) return `service ${name} was acknowledged and does not exist`
    if (!counts.has(service.desiredCount))
      return `service ${name} wants ${service.desiredCount} tasks; asked for was ${[...counts].join(' or ')}`
  }
  return undefined
}

/** In the end: what was asked to stop has stopped, and says why. */
export const stopsHaveEnded: Invariant = ({ records }) => {
  for (const task of records.tasks.values()) {
    if (task.desiredStatus === 'STOPPED' && task.lastStatus !== 'STOPPED')
      return `task ${task.id} is ${task.lastStatus} and was to stop`
    if (task.lastStatus === 'STOPPED' && (task.stopCode === undefined || task.stoppedAt === undefined))
      return `task ${task.id} is STOPPED and does not say why`
  }
  return undefined
}
