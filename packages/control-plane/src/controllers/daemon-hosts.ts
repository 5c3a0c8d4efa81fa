import type { HostRecord, ServiceRecord } from '../cell/records.ts'
import type { ReadonlyTables } from '../cell/tables.ts'
import type { Lack, Rule } from '../scheduler/explanation.ts'

/** What turns a host away for good; what it lacks beside these may come free. */
const lastingRules: ReadonlySet<Rule> = new Set(['status', 'agent', 'eligible', 'attribute', 'memberOf'])

/** Whether a daemon is to run on a host that lacks this for it. A host that is out of touch keeps the daemon that it has, but gets none. */
export const mayRun = (lacks: readonly Lack[], hasTask: boolean): boolean =>
  !lacks.some(({ rule }) => lastingRules.has(rule) && !(rule === 'agent' && hasTask))

/** The DAEMON services of a cluster that have not ended. */
export function* daemonsOf(tables: ReadonlyTables, cluster: string): Iterable<ServiceRecord> {
  for (const service of tables.services.by('cluster', cluster))
    if (service.schedulingStrategy === 'DAEMON' && service.status !== 'INACTIVE') yield service
}

/** Whether a change of a host is none to the daemons that it is to run. */
export const isSameHost = (before: HostRecord | undefined, after: HostRecord | undefined): boolean =>
  before !== undefined &&
  after !== undefined &&
  before.status === after.status &&
  before.agentConnected === after.agentConnected &&
  before.engineHealthy === after.engineHealthy &&
  before.attributes === after.attributes
