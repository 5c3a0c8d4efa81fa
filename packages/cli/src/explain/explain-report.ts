import type { ExplainServiceAnswer, PlacedTaskAnswer, Waiting } from '@berth/control-plane/api/berth/explain-service.ts'
import type { ExplainTaskAnswer, TaskSummary } from '@berth/control-plane/api/berth/explain-task.ts'
import type { WaitingAnswer } from '@berth/control-plane/api/berth/explain-waiting.ts'
import type {
  ExplanationAnswer,
  PlacementAnswer,
  RuleAnswer,
} from '@berth/control-plane/api/berth/explanation-answer.ts'
import type { HostLabel } from '@berth/control-plane/api/berth/host-label.ts'
import { textTable } from '../text-table.ts'
import { counted, isOrAre } from '../counted.ts'

/** Why a task is where it is, as a person reads it. */
export function taskExplanation({ task, takes, placement, waiting }: ExplainTaskAnswer): readonly string[] {
  const gpus = takes.gpus > 0 ? [counted(takes.gpus, 'GPU')] : []
  const networkInterfaces = takes.networkInterfaces > 0 ? ['an address of its own'] : []
  const custom = Object.entries(takes.custom ?? {}).map(([name, amount]) => `${amount} ${name}`)
  const ports = takes.ports.length > 0 ? [`host ports ${takes.ports.join(', ')}`] : []
  const parts = [`${takes.cpu} CPU units`, `${takes.memory} MiB`, ...gpus, ...custom, ...networkInterfaces, ...ports]
  return [
    `Task ${task.taskId} (${task.taskDefinition}, ${task.group}) ${whereabouts(task)}.`,
    ...(task.stoppedReason === undefined
      ? []
      : [`It ${stopWords(task)}: ${task.stoppedReason}.`.replace(/\.\.$/, '.')]),
    `It takes ${parts.join(', ')}.`,
    '',
    ...(waiting === undefined ? whereLines(placement, task) : waitingLines(waiting)),
  ]
}

const whereLines = (placement: PlacementAnswer | undefined, { host }: TaskSummary): readonly string[] =>
  placement === undefined ? ['It was given no host.'] : placementLines(placement, host)

/** What a task waits for that was asked for before there was room. */
function waitingLines({ since, priority, until, ahead, gang, fitting, explanation }: WaitingAnswer): readonly string[] {
  const time = (at: number) => new Date(at * 1000).toISOString()
  const wanted = gang ?? 1
  return [
    `It waits for room since ${time(since)}, with priority ${priority}; ${ahead === 0 ? 'no task is' : `${counted(ahead, 'task')} ${isOrAre(ahead)}`} ahead of it.`,
    ...(until === undefined ? [] : [`It is given up at ${time(until)}.`]),
    ...(gang === undefined
      ? []
      : [`It starts together with ${counted(gang - 1, 'other task')}: now ${fitting} of ${gang} would fit.`]),
    ...(fitting < wanted
      ? []
      : ['There is room that it could have: it is about to start, or hosts are kept for a task that is ahead of it.']),
    ...(explanation === undefined ? [] : ['', ...explanationLines(explanation)]),
  ]
}

const whereabouts = ({ lastStatus, host }: TaskSummary): string =>
  host === undefined ? `is ${lastStatus} and has no host` : `is ${lastStatus}, on ${hostName(host)}`

const stopWords = ({ lastStatus }: TaskSummary): string => (lastStatus === 'STOPPED' ? 'stopped' : 'is to stop')

const hostName = ({ name, zone }: HostLabel): string => (zone === '' ? name : `${name} in zone ${zone}`)

function placementLines(placement: PlacementAnswer, host: HostLabel | undefined): readonly string[] {
  if (placement.namedBy === 'user') return ['Its host was named by who started it; nothing was chosen.']
  if (placement.namedBy === 'rebalancing')
    return ['It was moved there, in the place of another task, to rebalance its cluster.']
  if (placement.namedBy === 'service') return ['Its service runs one task on each host that fits; nothing was chosen.']
  const { considered, suitable, removed = [], steps } = placement
  const room = suitable === undefined ? '' : `; ${suitable === considered ? 'all' : suitable} could take it`
  return [
    `${counted(considered, 'host')} ${considered === 1 ? 'was' : 'were'} considered${room}${removed.length > 0 ? '. The others were:' : '.'}`,
    ...ruleLines(removed),
    '',
    ...(steps.length === 0
      ? []
      : [
          `${host?.name ?? 'Its host'} was taken because`,
          ...steps.map(({ step, text }, index) => `  ${index === 0 ? '' : 'and, among equals, '}${text}  [${step}]`),
        ]),
  ]
}

/** How many hosts each rule removed, numbers right below one another. */
export function ruleLines(rules: readonly RuleAnswer[]): readonly string[] {
  const width = Math.max(0, ...rules.map(({ hosts }) => String(hosts).length))
  return rules.map(({ hosts, text }) => `  ${String(hosts).padStart(width)} ${text}`)
}

/** Why one more task finds no room, or how many hosts have room for it. */
export function explanationLines(explanation: ExplanationAnswer): readonly string[] {
  const { considered, suitable, removed, closest } = explanation
  const room = suitable === 0 ? 'none can take one more' : `${suitable} can take one more`
  if (considered === 0) return ['There are no hosts.']
  return [
    `Of ${counted(considered, 'host')} ${room}${removed.length > 0 ? `. ${suitable === 0 ? 'They' : 'The others'} are:` : '.'}`,
    ...ruleLines(removed),
    ...(suitable > 0 || closest.length === 0
      ? []
      : ['The closest lack:', ...closest.map(({ host, lacks }) => `  ${host.name}: ${lacks.join('; ')}`)]),
  ]
}

/** Why a service's tasks are where they are, and what the missing ones wait for, as a person reads it. */
export function serviceExplanation(answer: ExplainServiceAnswer): readonly string[] {
  const { service, failing, missing, waiting, explanation, tasks } = answer
  const wanted = service.schedulingStrategy === 'DAEMON' ? 'one task on each host' : `${service.desiredCount} wanted`
  return [
    `Service ${service.serviceName} (${service.taskDefinition}) is ${service.status}: ${wanted}, ${service.runningCount} running, ${service.pendingCount} pending.`,
    ...(missing === 0 && service.status === 'ACTIVE' ? ['It lacks no task.'] : []),
    ...(failing === undefined ? [] : [failingLine(failing)]),
    ...waiting.map(waitingLine),
    ...(explanation === undefined ? [] : ['', ...explanationLines(explanation)]),
    '',
    ...taskLines(tasks),
  ]
}

const failingLine = ({ tasks, reason }: NonNullable<ExplainServiceAnswer['failing']>): string =>
  `${tasks === 1 ? 'Its last task' : `Its last ${tasks} tasks`} failed: ${reason}`

function waitingLine(waiting: Waiting): string {
  switch (waiting.kind) {
    case 'room':
      return `${counted(waiting.tasks, 'task')} ${waiting.tasks === 1 ? 'waits' : 'wait'} for room.`
    case 'throttle':
      return `It puts starting the next one off until ${new Date(waiting.until * 1000).toISOString()}.`
    case 'failed-deployment':
      return `Its deployment failed, so nothing is started: ${waiting.reason}`
    default:
      return `${counted(waiting.tasks, 'task')} ${isOrAre(waiting.tasks)} missing, for which there is room: being started, or waiting until others of the service have stopped.`
  }
}

const taskLines = (tasks: readonly PlacedTaskAnswer[]): readonly string[] =>
  tasks.length === 0
    ? ['It has no tasks.']
    : textTable(
        [{ head: 'TASK' }, { head: 'STATUS' }, { head: 'HOST' }, { head: 'BECAUSE' }],
        tasks.map(({ taskId, lastStatus, host, placement }) => [taskId, lastStatus, host.name, reason(placement)]),
      )

function reason(placement: PlacementAnswer | undefined): string {
  if (placement?.namedBy === 'rebalancing') return 'moved there to rebalance'
  if (placement?.namedBy !== undefined) return 'one task on each host'
  return placement?.steps[0]?.text ?? ''
}
