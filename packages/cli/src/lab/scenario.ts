import { z } from 'zod'
import { parseDocument } from 'yaml'
import { CliError } from '../cli-error.ts'
import { duration, durationOrRange, runTime } from './lab-duration.ts'

const count = z.int().min(1)
const name = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be a name of letters, digits, - and _')
const zone = z.string().regex(/^[a-z]$/, 'must be the letter of a zone, such as b')
const likelihood = z.number().min(0).max(1)

/** What one kind of task needs, and how its container behaves: each member is the fake runtime's of the same name. */
const taskSchema = z.strictObject({
  cpu: z.int().min(1).default(256),
  memory: z.int().min(6).default(512),
  pull: durationOrRange.default([50, 500]),
  start: durationOrRange.default([100, 200]),
  run: runTime.default(Infinity),
  exitCode: z.int().min(0).max(255).default(0),
  crashRate: likelihood.default(0),
  crashWithin: duration.default(60_000),
  stop: durationOrRange.default([20, 100]),
})

const hostsSchema = z.strictObject({
  count: z.int().min(0).default(100),
  cpu: z.int().min(128).default(4096),
  memory: z.int().min(16).default(16_384),
  zones: z.int().min(1).max(26).default(3),
})

const strategyPattern = /^(random|(binpack|spread)\(([^()]+)\))$/
const strategy = z
  .array(z.string().regex(strategyPattern, 'must be random, binpack(FIELD) or spread(FIELD)'))
  .max(5)
  .default([])
const constraints = z
  .array(z.string().regex(/^(distinctInstance|memberOf\(.+\))$/, 'must be distinctInstance or memberOf(EXPRESSION)'))
  .max(10)
  .default([])

/** Some hosts, drawn by the seed, or a whole zone. */
const chosenHosts = z
  .strictObject({ hosts: count.optional(), zone: zone.optional() })
  .refine(({ hosts, zone }) => hosts !== undefined || zone !== undefined, 'must name hosts (how many), a zone, or both')

const someOrAll = z.strictObject({ hosts: count.optional(), zone: zone.optional() })

/** What each step says under its name. */
const stepSchemas = {
  addHosts: hostsSchema.partial().required({ count: true }),
  createService: z.strictObject({ name, task: name, count, strategy, constraints }),
  runTasks: z.strictObject({
    task: name,
    count,
    /** Tasks a second; absent: as fast as they are taken. */
    rate: z.number().positive().optional(),
    strategy,
    constraints,
  }),
  kill: chosenHosts,
  partition: chosenHosts,
  return: someOrAll,
  drain: chosenHosts,
  undrain: someOrAll,
  deploy: z.strictObject({ service: name }),
  wait: duration,
  waitUntilSteady: duration,
} as const

type StepName = keyof typeof stepSchemas
const stepNames = Object.keys(stepSchemas) as StepName[]

/** A step of a scenario: what is done, and with what. */
export type Step = {
  [Name in StepName]: { readonly kind: Name; readonly with: z.infer<(typeof stepSchemas)[Name]> }
}[StepName]
export type StepOf<Name extends StepName> = Extract<Step, { kind: Name }>['with']

const scenarioSchema = z.strictObject({
  seed: z.int().min(0).default(1),
  hosts: hostsSchema.default(() => hostsSchema.parse({})),
  tasks: z.record(name, taskSchema).default({}),
  steps: z.array(z.record(z.string(), z.unknown())).min(1),
})

export type LabTask = Readonly<z.infer<typeof taskSchema>>
export type LabHosts = Readonly<z.infer<typeof hostsSchema>>
export type TargetHosts = Readonly<z.infer<typeof someOrAll>>

/** A scenario that was read whole and makes sense. Durations in ms. */
export interface Scenario {
  readonly seed: number
  /** The hosts that there are before the first step. */
  readonly hosts: LabHosts
  readonly tasks: Readonly<Record<string, LabTask>>
  readonly steps: readonly Step[]
}

/**
 * Reads a scenario, YAML or JSON.
 *
 * @throws CliError that names every mistake, each with its place in the file.
 */
export function parseScenario(text: string, file: string): Scenario {
  const document = parseDocument(text)
  const [syntax] = document.errors
  if (syntax !== undefined) throw new CliError(`${file}: ${syntax.message}`)
  const read = scenarioSchema.safeParse(document.toJS())
  if (!read.success) throw mistakes(file, issueLines(read.error, []))
  const { steps: written, ...rest } = read.data
  const wrong: string[] = []
  const steps = written.flatMap((step, index) => {
    const parsed = parseStep(step, index, wrong)
    return parsed === undefined ? [] : [parsed]
  })
  if (wrong.length === 0) wrong.push(...unknownNames(steps, rest.tasks))
  if (wrong.length > 0) throw mistakes(file, wrong)
  return { ...rest, steps }
}

function parseStep(written: Record<string, unknown>, index: number, wrong: string[]): Step | undefined {
  const said = Object.keys(written)
  const [kind] = said
  if (said.length !== 1 || kind === undefined || !isStepName(kind)) {
    wrong.push(`steps[${index}]: must be one of ${stepNames.join(', ')}, not ${said.join(' and ') || 'nothing'}`)
    return undefined
  }
  const read = stepSchemas[kind].safeParse(written[kind])
  if (read.success) return { kind, with: read.data } as Step
  wrong.push(...issueLines(read.error, ['steps', index, kind]))
  return undefined
}

const isStepName = (text: string): text is StepName => Object.hasOwn(stepSchemas, text)

/** What refers to a task or service that the scenario has not. */
function unknownNames(steps: readonly Step[], tasks: Scenario['tasks']): string[] {
  const services = new Set<string>()
  return steps.flatMap((step, index) => {
    const at = `steps[${index}].${step.kind}`
    switch (step.kind) {
      case 'createService': {
        const again = services.has(step.with.name)
        services.add(step.with.name)
        return [
          ...(again ? [`${at}.name: there is a service ${step.with.name} already`] : []),
          ...unknownTask(at, step.with.task, tasks),
        ]
      }
      case 'runTasks':
        return unknownTask(at, step.with.task, tasks)
      case 'deploy':
        return services.has(step.with.service)
          ? []
          : [`${at}.service: no step before creates a service ${step.with.service}`]
      default:
        return []
    }
  })
}

const unknownTask = (at: string, task: string, tasks: Scenario['tasks']): string[] =>
  Object.hasOwn(tasks, task) ? [] : [`${at}.task: there is no ${task} under tasks`]

const issueLines = (error: z.ZodError, under: readonly PropertyKey[]): string[] =>
  error.issues.map(({ path, message }) => `${placeOf([...under, ...path])}: ${message}`)

/** As a person would point there: `steps[2].kill.zone`. */
const placeOf = (path: readonly PropertyKey[]): string =>
  path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`))
    .join('') || 'the file'

const mistakes = (file: string, lines: readonly string[]): CliError =>
  new CliError(`${file} is no scenario that can be run:\n${lines.map((line) => `  ${line}`).join('\n')}`)

/** What is played when nobody names a scenario: the hosts become four fifths full, and stay so. */
export function usualScenario(hosts: LabHosts): Scenario {
  const task = taskSchema.parse({})
  const room = Math.min(Math.floor(hosts.cpu / task.cpu), Math.floor(hosts.memory / task.memory))
  const tasks = Math.max(1, Math.floor(hosts.count * room * 0.8))
  return {
    seed: 1,
    hosts,
    tasks: { filler: task },
    steps: [
      { kind: 'runTasks', with: { task: 'filler', count: tasks, strategy: [], constraints: [] } },
      { kind: 'waitUntilSteady', with: 300_000 },
    ],
  }
}

/** The hosts that a command line means, over those of a scenario. */
export const withHosts = (scenario: Scenario, said: Partial<LabHosts>): Scenario => ({
  ...scenario,
  hosts: { ...scenario.hosts, ...said },
})

/** Hosts of which nobody says anything. */
export const usualHosts: LabHosts = hostsSchema.parse({})

/** A task of which nobody says more. */
export const labTask = (said: z.input<typeof taskSchema>): LabTask => taskSchema.parse(said)

/** A strategy or constraint as ECS takes it. */
export function placementStrategy(text: string): { readonly type: string; readonly field?: string } {
  const [, whole = '', type, field] = strategyPattern.exec(text) ?? []
  return type === undefined || field === undefined ? { type: whole } : { type, field: field.trim() }
}

export function placementConstraint(text: string): { readonly type: string; readonly expression?: string } {
  const expression = /^memberOf\((.+)\)$/.exec(text)?.[1]
  return expression === undefined ? { type: text } : { type: 'memberOf', expression }
}
