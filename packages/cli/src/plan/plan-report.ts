import type { DisplacedAnswer, DisplacedGroup } from '@berth/control-plane/api/berth/displaced-tasks.ts'
import type { Fullness } from '@berth/control-plane/api/berth/fullness.ts'
import type { PlannedHost, PlanTasksAnswer } from '@berth/control-plane/api/berth/plan-tasks.ts'
import { counted } from '../counted.ts'
import { explanationLines } from '../explain/explain-report.ts'
import { textTable } from '../text-table.ts'

/** How many hosts are shown one by one. */
const shownHosts = 50

/** A plan as a person reads it. */
export function planReport(plan: PlanTasksAnswer): readonly string[] {
  return [
    ...newTaskLines(plan),
    ...(plan.displaced === undefined ? [] : displacedLines(plan.displaced)),
    '',
    ...hostLines(plan),
    ...(plan.explanation === undefined
      ? []
      : ['', `Why ${counted(plan.unplaced, 'new task')} would find no room:`, ...explanationLines(plan.explanation)]),
    ...(plan.displaced?.groups.flatMap(displacedExplanation) ?? []),
    '',
    plan.fits ? 'Everything fits. Nothing was changed.' : 'Not everything fits. Nothing was changed.',
  ]
}

function newTaskLines({ taskDefinition, takes, count, placed, unplaced, launchType, cluster }: PlanTasksAnswer) {
  if (taskDefinition === undefined || takes === undefined) return []
  const each = `${takes.cpu} CPU units and ${takes.memory} MiB${count === 1 ? '' : ' each'}`
  const outcome =
    unplaced === 0 ? 'all find room' : `${placed} find room, ${unplaced} ${unplaced === 1 ? 'does' : 'do'} not`
  return [`${counted(count, 'task')} of ${taskDefinition} (${launchType}) in cluster ${cluster}, ${each}: ${outcome}.`]
}

function displacedLines({ tasks, placed, unplaced, ending }: DisplacedAnswer): readonly string[] {
  const daemons = ending === 0 ? [] : [`${counted(ending, 'daemon')} would end with the host.`]
  if (tasks === 0) return ['The hosts that are taken out have no tasks to move.', ...daemons]
  const outcome =
    unplaced === 0
      ? 'all find room elsewhere'
      : `${placed} find room elsewhere, ${unplaced} ${unplaced === 1 ? 'does' : 'do'} not`
  return [
    `${counted(tasks, 'task')} would lose their host: ${outcome}.`.replace(
      /^1 task would lose their/,
      '1 task would lose its',
    ),
    ...daemons,
  ]
}

const displacedExplanation = ({ group, taskDefinition, unplaced, explanation }: DisplacedGroup): readonly string[] =>
  explanation === undefined
    ? []
    : [
        '',
        `Why ${counted(unplaced, 'task')} of ${group} (${taskDefinition}) would find no room:`,
        ...explanationLines(explanation),
      ]

function hostLines({ hosts, total }: PlanTasksAnswer): readonly string[] {
  const rows = hosts.slice(0, shownHosts).map(hostRow)
  const { before, after } = total
  const all =
    before.hosts === after.hosts
      ? `all ${counted(after.hosts, 'host')}`
      : `all ${before.hosts} -> ${counted(after.hosts, 'host')}`
  return [
    ...textTable(
      [
        { head: 'HOST' },
        { head: 'ZONE' },
        { head: 'NEW', align: 'right' },
        { head: 'MOVED', align: 'right' },
        { head: 'TASKS', align: 'right' },
        { head: 'CPU', align: 'right' },
        { head: 'MEMORY', align: 'right' },
      ],
      [...rows, [all, '', sumOf(hosts, 'newTasks'), sumOf(hosts, 'movedTasks'), ...change(before, after)]],
    ),
    ...(hosts.length > shownHosts ? [`(${hosts.length - shownHosts} more hosts change; --json shows them.)`] : []),
  ]
}

const hostRow = ({ host, change: what, newTasks, movedTasks, before, after }: PlannedHost): readonly string[] => [
  what === undefined ? host.name : `${host.name} (${what === 'added' ? 'added' : 'taken out'})`,
  host.zone,
  plus(newTasks),
  plus(movedTasks),
  ...change(before, after),
]

const sumOf = (hosts: readonly PlannedHost[], count: 'newTasks' | 'movedTasks'): string =>
  plus(hosts.reduce((sum, host) => sum + host[count], 0))

const plus = (count: number): string => (count === 0 ? '' : `+${count}`)

/** Tasks, CPU and memory before and after; a host that comes or goes has but one of them. */
const change = (before: Fullness | undefined, after: Fullness | undefined): readonly string[] => [
  arrow(before, after, ({ tasks }) => String(tasks)),
  arrow(before, after, ({ cpu, cpuTotal }) => percent(cpu, cpuTotal)),
  arrow(before, after, ({ memory, memoryTotal }) => percent(memory, memoryTotal)),
]

const arrow = (before: Fullness | undefined, after: Fullness | undefined, show: (full: Fullness) => string): string =>
  `${before === undefined ? 'new' : show(before)} -> ${after === undefined ? 'gone' : show(after)}`

const percent = (used: number, total: number): string => (total === 0 ? '-' : `${Math.round((used * 100) / total)} %`)
