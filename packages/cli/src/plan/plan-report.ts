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

function newTaskLines(plan: PlanTasksAnswer): readonly string[] {
  const { taskDefinition, takes, count, launchType, cluster } = plan
  if (taskDefinition === undefined || takes === undefined) return []
  const each = `${takes.cpu} CPU units and ${takes.memory} MiB${count === 1 ? '' : ' each'}`
  return [
    `${counted(count, 'task')} of ${taskDefinition} (${launchType}) in cluster ${cluster}, ${each}: ${whoFinds(plan, 'room')}.`,
  ]
}

function displacedLines(displaced: DisplacedAnswer): readonly string[] {
  const { tasks, ending } = displaced
  const daemons = ending === 0 ? [] : [`${counted(ending, 'daemon')} would end there.`]
  if (tasks === 0) return ['What is taken out has no tasks to move.', ...daemons]
  return [
    `${counted(tasks, 'task')} would have to leave ${tasks === 1 ? 'its' : 'their'} host: ${whoFinds(displaced, 'room elsewhere')}.`,
    ...daemons,
  ]
}

/** `all find room`, or how many do and how many do not. */
function whoFinds({ placed, unplaced }: { readonly placed: number; readonly unplaced: number }, what: string): string {
  const find = (count: number) => (count === 1 ? `finds ${what}` : `find ${what}`)
  if (unplaced === 0) return placed === 1 ? `it ${find(1)}` : `all ${find(placed)}`
  if (placed === 0) return `${unplaced === 1 ? 'it finds' : 'none finds'} no ${what}`
  return `${placed} ${find(placed)}, ${unplaced} ${unplaced === 1 ? 'does' : 'do'} not`
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
      ? `all ${counted(after.hosts, 'active host')}`
      : `all ${before.hosts} -> ${counted(after.hosts, 'active host')}`
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
