import { evaluate } from '../scheduler/query/evaluate.ts'
import { parseQuery } from '../scheduler/query/parse.ts'
import type { HostRecord } from './records.ts'
import type { ReadonlyTables } from './tables.ts'

/** A question of hosts in the cluster query language, or what is wrong with it. */
export type HostQuery =
  | { readonly ok: true; readonly matches: (tables: ReadonlyTables, host: HostRecord) => boolean }
  | { readonly ok: false; readonly message: string; readonly position: number }

/** Reads a `filter` as ListContainerInstances takes it. */
export function compileHostQuery(text: string): HostQuery {
  const parsed = parseQuery(text)
  if (!parsed.ok) return { ok: false, ...parsed.error }
  return {
    ok: true,
    matches: (tables, host) =>
      evaluate(parsed.expression, {
        attributes: new Map(host.attributes.map(({ name, value }) => [name, value ?? null])),
        ec2InstanceId: host.ec2InstanceId,
        agentVersion: host.agentVersion,
        registeredAt: host.registeredAt,
        agentConnected: host.agentConnected,
        runningTasksCount: runningTasks(tables, host),
        taskGroups: () => groupsOn(tables, host),
      }),
  }
}

const runningTasks = (tables: ReadonlyTables, host: HostRecord): number => tables.tasks.countBy('host', host.id)

function* groupsOn(tables: ReadonlyTables, host: HostRecord): Iterable<string> {
  for (const task of tables.tasks.by('host', host.id)) yield task.group
}
