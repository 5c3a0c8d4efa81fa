import type { TaskReport } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import type { Transaction } from '../cell/cell.ts'
import { taskOfArn } from '../cell/task-arns.ts'
import { applyTaskReport } from '../cell/task-changes.ts'
import { pinImageDigests } from '../cell/version-consistency.ts'
import type { ControlPlaneDeps } from '../control-plane-deps.ts'

/**
 * Takes what a host says of its tasks into the tables, within a transaction. A host speaks for the tasks that it was given and for no
 * others; a word about an unknown task is left out, since the next full set tells the host so.
 */
export function applyStatusReport(
  tx: Transaction,
  hostId: string,
  reports: readonly TaskReport[],
  { clock, log, scope }: Pick<ControlPlaneDeps, 'clock' | 'log' | 'scope'>,
): void {
  for (const report of reports) {
    const task = taskOfArn(tx.tables, scope, report.taskArn)
    if (!task) {
      log.debug('report on an unknown task', { hostId, taskArn: report.taskArn })
      continue
    }
    if (task.hostId !== hostId) {
      log.warn("a host reports on another host's task; it is not believed", { hostId, taskArn: report.taskArn })
      continue
    }
    const changed = applyTaskReport(task, report, clock.now())
    if (changed === task) continue
    tx.put('tasks', task.id, changed)
    pinImageDigests(tx, changed)
  }
}
