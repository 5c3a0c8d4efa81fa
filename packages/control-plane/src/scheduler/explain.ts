import type { Random } from '@berth/shared/random.ts'
import { compileAssessment } from './assessment.ts'
import { type Demand, describePort } from './demand.ts'
import { dynamicPortsFor, hasAttribute, queriedHost } from './eligibility.ts'
import { type Explanation, type HostVerdict, type Lack, RULES, type Rule, type Win } from './explanation.ts'
import type { HostFleet } from './host-fleet.ts'
import { completeStrategy, scoreOf } from './host-score.ts'
import type { PlacementRequest } from './placement-request.ts'
import { describeExpression, describeSubject } from './query/describe.ts'
import { evaluate, valueOf } from './query/evaluate.ts'
import type { Expression } from './query/expression.ts'
import { describeStep } from './strategy.ts'

/** Stands for the id of a task that is only claimed while its group is decided. */
export const TENTATIVE = 'an earlier task of this request'

/** How many hosts an explanation tells about one by one. */
const CLOSEST = 5

/**
 * What stands in the way of one more task of the request on each host of its pool, counted and with the closest hosts.
 * Looks at every host, but tells in full only about the few closest.
 */
export function explain(fleet: HostFleet, request: PlacementRequest): Explanation {
  const { slots } = fleet.pool(request.pool)
  const assess = compileAssessment(fleet, request)
  const removed: Partial<Record<Rule, number>> = {}
  const closest: { readonly slot: number; readonly distance: number }[] = []
  let suitable = 0
  for (let at = 0; at < slots.size; at++) {
    const slot = slots.members[at] as number
    const { first, distance } = assess(slot)
    if (first === undefined) {
      suitable++
      continue
    }
    removed[first] = (removed[first] ?? 0) + 1
    const last = closest[CLOSEST - 1]
    if (last !== undefined && distance >= last.distance) continue
    const position = closest.findIndex((other) => other.distance > distance)
    closest.splice(position < 0 ? closest.length : position, 0, { slot, distance })
    if (closest.length > CLOSEST) closest.pop()
  }
  const verdicts = closest.map(({ slot }) => verdict(fleet, slot, lacksOf(fleet, request, slot)))
  return { considered: slots.size, suitable, removed, closest: verdicts }
}

/** What one host lacks for one more task of the request: for StartTask, which names its hosts. Empty lacks: it fits. */
export function judgeHost(fleet: HostFleet, request: PlacementRequest, hostId: string): HostVerdict | undefined {
  const slot = fleet.slotOf(hostId)
  return slot === undefined ? undefined : verdict(fleet, slot, lacksOf(fleet, request, slot))
}

/**
 * Says of a host that was chosen for a task of the request what each step of the strategy sees in it; nothing for an unknown one. To be asked
 * before the task is claimed.
 */
export function compileWin(fleet: HostFleet, request: PlacementRequest): (hostId: string) => Win | undefined {
  const named = completeStrategy(request.strategy).map((step) => ({ step, name: describeStep(step) }))
  return (hostId) => {
    const slot = fleet.slotOf(hostId)
    if (slot === undefined) return undefined
    const host = fleet.hostAt(slot)
    const steps = named.map(({ step, name }) => {
      const seen = { step: name, value: scoreOf(fleet, step, request, noChance)(slot) }
      if (step.type !== 'spread' || step.by.kind === 'host') return seen
      return { ...seen, among: host.attributes.get(step.by.name) ?? '' }
    })
    return { hostId, ec2InstanceId: host.ec2InstanceId, steps }
  }
}

const noChance: Random = { uint32: () => 0 }

const verdict = (fleet: HostFleet, slot: number, lacks: readonly Lack[]): HostVerdict => ({
  hostId: fleet.hostAt(slot).id,
  ec2InstanceId: fleet.hostAt(slot).ec2InstanceId,
  lacks,
})

function lacksOf(fleet: HostFleet, request: PlacementRequest, slot: number): Lack[] {
  return [
    ...stateLacks(fleet, request, slot),
    ...attributeLacks(fleet, request, slot),
    ...constraintLacks(fleet, request, slot),
    ...resourceLacks(fleet, request.demand, slot),
  ]
}

function stateLacks(fleet: HostFleet, request: PlacementRequest, slot: number): Lack[] {
  const { status, agentConnected } = fleet.stateAt(slot)
  const lacks: Lack[] = []
  if (status !== 'ACTIVE') lacks.push({ rule: 'status', status })
  if (!agentConnected) lacks.push({ rule: 'agent' })
  if (request.eligible?.(fleet.hostAt(slot).id) === false) lacks.push({ rule: 'eligible' })
  return lacks
}

function attributeLacks(fleet: HostFleet, request: PlacementRequest, slot: number): Lack[] {
  const host = fleet.hostAt(slot)
  return request.requiredAttributes
    .filter((attribute) => !hasAttribute(host, attribute))
    .map(({ name, value }) => {
      const has = host.attributes.get(name)
      return {
        rule: 'attribute',
        name,
        ...(value !== undefined && { wanted: value }),
        ...(has !== undefined && { has }),
      }
    })
}

function constraintLacks(fleet: HostFleet, request: PlacementRequest, slot: number): Lack[] {
  const lacks: Lack[] = []
  for (const constraint of request.constraints) {
    if (constraint.type === 'memberOf') lacks.push(...memberOfLacks(fleet, constraint.expression, slot))
  }
  if (request.constraints.some((constraint) => constraint.type === 'distinctInstance')) {
    const tasks = fleet.groupCount(request.group, slot)
    if (tasks > 0) lacks.push({ rule: 'distinctInstance', group: request.group, tasks })
  }
  return lacks
}

/** The parts of the expression that the host fails: the operands of an outermost `&&` are told one by one. */
function memberOfLacks(fleet: HostFleet, expression: Expression, slot: number): Lack[] {
  if (expression.kind === 'and') return expression.operands.flatMap((operand) => memberOfLacks(fleet, operand, slot))
  const host = queriedHost(fleet, slot)
  if (evaluate(expression, host)) return []
  const inner = expression.kind === 'not' ? expression.operand : expression
  const lack = { rule: 'memberOf', expression: describeExpression(expression) } as const
  if (!('subject' in inner)) return [lack]
  return [{ ...lack, has: valueOf(inner.subject, host) ?? `no ${describeSubject(inner.subject)}` }]
}

function resourceLacks(fleet: HostFleet, demand: Demand, slot: number): Lack[] {
  const lacks: Lack[] = []
  const amount = (rule: 'cpu' | 'memory' | 'gpu' | 'eni', needs: number, has: number | undefined) => {
    if ((has ?? 0) < needs) lacks.push({ rule, needs, has: has ?? 0 })
  }
  amount('cpu', demand.cpu, fleet.cpuFree[slot])
  amount('memory', demand.memory, fleet.memoryFree[slot])
  for (const port of demand.ports) {
    const holder = fleet.ports[slot]?.holderAgainst(port)
    if (holder !== undefined)
      lacks.push({ rule: 'ports', port, ...(holder.taskId !== undefined && { taskId: holder.taskId }) })
  }
  const dynamic = { needs: demand.dynamicPorts, has: dynamicPortsFor(fleet, slot, demand).length }
  if (dynamic.has < dynamic.needs) lacks.push({ rule: 'ports', dynamic })
  if (demand.gpus > 0) amount('gpu', demand.gpus, fleet.gpusFree[slot])
  if (demand.enis > 0) amount('eni', demand.enis, fleet.enisFree[slot])
  for (const [name, needs] of demand.custom ?? []) {
    const has = fleet.customFree[slot]?.get(name) ?? 0
    if (has < needs) lacks.push({ rule: 'custom', name, needs, has })
  }
  return lacks
}

/** One lack in words: `cpu: needs 512, has 256`, `port 80/tcp: held by task ...`, `attribute:gpu-type == a10: host has t4`. */
export function describeLack(lack: Lack): string {
  switch (lack.rule) {
    case 'status':
      return `status: host is ${lack.status}`
    case 'agent':
      return 'agent: not connected'
    case 'eligible':
      return 'host: not among those the task may go to'
    case 'attribute': {
      const wanted =
        lack.wanted === undefined ? `attribute:${lack.name} exists` : `attribute:${lack.name} == ${lack.wanted}`
      return `${wanted}: host has ${lack.has ?? (lack.has === null ? 'no value' : 'none')}`
    }
    case 'memberOf':
      return lack.has === undefined ? lack.expression : `${lack.expression}: host has ${lack.has}`
    case 'distinctInstance':
      return `distinctInstance: ${lack.tasks} ${lack.tasks === 1 ? 'task' : 'tasks'} of ${lack.group} already there`
    case 'custom':
      return `${lack.name}: needs ${lack.needs}, has ${lack.has}`
    case 'ports':
      if ('dynamic' in lack) return `dynamic ports: needs ${lack.dynamic.needs}, has ${lack.dynamic.has}`
      return `port ${describePort(lack.port)}: ${describeHolder(lack.taskId)}`
    default:
      return `${lack.rule}: needs ${lack.needs}, has ${lack.has}`
  }
}

function describeHolder(taskId: string | undefined): string {
  if (taskId === undefined) return 'reserved by the host'
  return taskId === TENTATIVE ? `held by ${TENTATIVE}` : `held by task ${taskId}`
}

/** What a rule says of the hosts that it removed, to be read after their number. */
export const REMOVED_BY: Readonly<Record<Rule, string>> = {
  status: 'not ACTIVE',
  agent: 'agent not connected',
  eligible: 'not eligible',
  attribute: 'lacking a required attribute',
  memberOf: 'outside a memberOf constraint',
  distinctInstance: 'already running a task of the group (distinctInstance)',
  cpu: 'without enough CPU',
  memory: 'without enough memory',
  ports: 'with a port taken',
  gpu: 'without enough GPUs',
  eni: 'without a free network interface',
  custom: 'without enough of a custom resource',
}

/** The whole explanation in lines for people. */
export function renderExplanation(explanation: Explanation): string[] {
  const { considered, suitable, removed, closest, won } = explanation
  const lines = [`${considered} ${considered === 1 ? 'host' : 'hosts'} considered, ${suitable} suitable`]
  for (const rule of RULES) if (removed[rule] !== undefined) lines.push(`  ${removed[rule]} ${REMOVED_BY[rule]}`)
  for (const host of closest) lines.push(`closest ${host.hostId}: ${host.lacks.map(describeLack).join('; ')}`)
  if (won !== undefined) {
    const steps = won.steps.map(
      ({ step, value, among }) => `${step} = ${value}${among === undefined ? '' : ` (${among})`}`,
    )
    lines.push(`won by ${won.hostId}: ${steps.join(', ')}`)
  }
  return lines
}

/** What ECS answers in `failures[].reason` for each rule. */
const FAILURE_REASON: Record<Rule, string> = {
  status: 'INACTIVE',
  agent: 'AGENT',
  eligible: 'LOCATION',
  attribute: 'ATTRIBUTE',
  memberOf: 'MemberOf placement constraint unsatisfied.',
  distinctInstance: 'DistinctInstance placement constraint unsatisfied.',
  cpu: 'RESOURCE:CPU',
  memory: 'RESOURCE:MEMORY',
  ports: 'RESOURCE:PORTS',
  gpu: 'RESOURCE:GPU',
  eni: 'RESOURCE:ENI',
  custom: 'RESOURCE:CUSTOM',
}

/** ECS's reason for a host that could not take the task; nothing for one that could. */
export function failureReason({ lacks }: HostVerdict): string | undefined {
  const [first] = lacks
  return first === undefined ? undefined : FAILURE_REASON[first.rule]
}
