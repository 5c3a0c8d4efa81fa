import type { CancelTimer } from '@berth/shared/clock.ts'
import type { Cell, Transaction } from '../cell/cell.ts'
import { deletableTaskDefinitions } from '../cell/deletable-task-definitions.ts'
import { ofServiceKey, type ServiceRevisionRecord, taskDefinitionKey } from '../cell/records.ts'
import { isUnfinished, revisionIdOf } from '../cell/service-deployments.ts'
import type { ReadonlyTables } from '../cell/tables.ts'
import type { ControlPlaneDeps } from '../control-plane-deps.ts'
import type { Controller } from './controller.ts'

/** How often the reaper makes its round, in ms. */
const roundMs = 10_000
/** Records that one round may end, so that it never holds the loop for long. */
const perRound = 2000
/** How long a client token is remembered. ECS documents 24 hours for RunTask. */
const clientTokenRetentionMs = 24 * 3600_000

/** How long it is remembered why a join token is of no use any more: 7 days after it has expired. */
const joinTokenRetentionMs = 7 * 24 * 3600_000

/** How long a service deployment that ended is remembered: ECS's 90 days. */
const serviceDeploymentRetentionMs = 90 * 24 * 3600_000

/** Ends records that nobody may ask for any more: old stopped tasks, client tokens, service deployments, task definitions that are being deleted and in use no more. */
export function reaperController(deps: ControlPlaneDeps): Controller {
  let cancel: CancelTimer = () => {}
  return {
    name: 'reaper',
    start(cell: Cell) {
      const round = () => {
        cell
          .transact((tx) => reap(tx, deps))
          .catch((error: unknown) => deps.log.debug('the reaper will come again', { error }))
        cancel = deps.clock.after(roundMs, round)
      }
      cancel = deps.clock.after(roundMs, round)
    },
    stop: () => cancel(),
  }
}

function reap(tx: Transaction, { clock, settings }: ControlPlaneDeps): void {
  const now = clock.now()
  let left = perRound
  for (const task of tx.tables.tasks.values()) {
    if (task.lastStatus !== 'STOPPED' || now - (task.stoppedAt ?? now) < settings.stoppedTaskRetentionMs) continue
    if (task.serviceName !== undefined && !task.endNoticed) continue
    if (left-- <= 0) return
    tx.delete('tasks', task.id)
  }
  for (const [key, token] of tx.tables.clientTokens.entries()) {
    if (now - token.createdAt < clientTokenRetentionMs) continue
    if (left-- <= 0) return
    tx.delete('clientTokens', key)
  }
  for (const token of tx.tables.joinTokens.values()) {
    if (now - token.expiresAt < joinTokenRetentionMs) continue
    if (left-- <= 0) return
    tx.delete('joinTokens', token.id)
  }
  for (const { id, service, createdAt, ...deployment } of tx.tables.serviceDeployments.values()) {
    if (isUnfinished(deployment) || now - createdAt < serviceDeploymentRetentionMs) continue
    if (left-- <= 0) return
    tx.delete('serviceDeployments', ofServiceKey(service, id))
  }
  for (const revision of tx.tables.serviceRevisions.values()) {
    if (now - revision.createdAt < serviceDeploymentRetentionMs || isInUse(tx.tables, revision)) continue
    if (left-- <= 0) return
    tx.delete('serviceRevisions', ofServiceKey(revision.service, revision.id))
  }
  for (const { family, revision } of deletableTaskDefinitions(tx.tables))
    tx.delete('taskDefinitions', taskDefinitionKey(family, revision))
}

/** A revision that a service runs, or went to in a service deployment that is remembered. */
function isInUse(tables: ReadonlyTables, { id, service }: ServiceRevisionRecord): boolean {
  if (tables.services.get(service)?.deployments.some((deployment) => revisionIdOf(deployment) === id)) return true
  for (const { targetRevision } of tables.serviceDeployments.by('service', service))
    if (targetRevision === id) return true
  return false
}
