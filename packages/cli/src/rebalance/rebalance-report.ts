import type { PlannedSpread, PlanRebalancingAnswer } from '@berth/control-plane/api/berth/plan-rebalancing.ts'
import type { Fullness } from '@berth/control-plane/api/berth/fullness.ts'
import { counted } from '../counted.ts'
import { textTable } from '../text-table.ts'

/** How many moves, and hosts, are shown one by one. */
const shown = 50

/** A plan of moves as a person reads it. */
export function rebalanceReport(plan: PlanRebalancingAnswer, dryRun: boolean): readonly string[] {
  return [...headLines(plan), ...(plan.moves.length === 0 ? [] : gainLines(plan)), '', lastLine(plan, dryRun)]
}

function headLines({ cluster, goal, moves, services, hostsInUse }: PlanRebalancingAnswer): readonly string[] {
  const what = goal === 'spread' ? 'to spread its services again' : 'to empty hosts'
  const { movable, leftAlone } = services
  const left = leftAlone.length === 0 ? '' : ` Left alone now: ${leftAlone.join(', ')}.`
  return [
    `Cluster ${cluster}, ${what}: ${moves.length === 0 ? 'there is nothing to move' : counted(moves.length, 'move')}.`,
    `${counted(movable, 'service')} can be moved.${left} ${hostsInUse.before} of ${counted(hostsInUse.active, 'active host')} in use${
      hostsInUse.after === hostsInUse.before ? '' : `, ${hostsInUse.after} after it`
    }${hostsInUse.packedAfresh === undefined ? '' : `; ${hostsInUse.packedAfresh} would do if all were placed anew`}.`,
  ]
}

function gainLines({ moves, spreads, hosts }: PlanRebalancingAnswer): readonly string[] {
  return [
    '',
    ...textTable(
      [{ head: 'TASK' }, { head: 'SERVICE' }, { head: 'FROM' }, { head: 'TO' }],
      moves.slice(0, shown).map(({ taskId, service, from, to }) => [taskId, service, from.name, to.name]),
    ),
    ...more(moves.length, 'move'),
    ...(spreads.length === 0 ? [] : ['', ...spreads.map(spreadLine)]),
    '',
    ...textTable(
      [
        { head: 'HOST' },
        { head: 'ZONE' },
        { head: 'TASKS', align: 'right' },
        { head: 'CPU', align: 'right' },
        { head: 'MEMORY', align: 'right' },
      ],
      hosts.slice(0, shown).map(({ host, before, after }) => [host.name, host.zone, ...change(before, after)]),
    ),
    ...more(hosts.length, 'host'),
  ]
}

const more = (count: number, what: string): readonly string[] =>
  count > shown ? [`(${counted(count - shown, `more ${what}`)}; --json shows them.)`] : []

const spreadLine = ({ service, by, places }: PlannedSpread): string =>
  `${service}, ${by}: ${places.map(({ place, before, after }) => `${place} ${before} -> ${after}`).join(', ')}`

const change = (before: Fullness, after: Fullness): readonly string[] => [
  `${before.tasks} -> ${after.tasks}`,
  `${percent(before.cpu, before.cpuTotal)} -> ${percent(after.cpu, after.cpuTotal)}`,
  `${percent(before.memory, before.memoryTotal)} -> ${percent(after.memory, after.memoryTotal)}`,
]

const percent = (used: number, total: number): string => (total === 0 ? '-' : `${Math.round((used * 100) / total)} %`)

function lastLine({ moves, atOnce }: PlanRebalancingAnswer, dryRun: boolean): string {
  if (dryRun || moves.length === 0) return 'Nothing was changed.'
  return `Asked for. Moves begin in seconds, ${atOnce} at once: each new task is healthy before the old one stops.`
}
