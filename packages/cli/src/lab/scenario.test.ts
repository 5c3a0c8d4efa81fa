import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  labTask,
  parseScenario,
  placementConstraint,
  placementStrategy,
  usualHosts,
  usualScenario,
} from './scenario.ts'

const parse = (text: string) => parseScenario(text, 'lab.yaml')
const steps = (...lines: readonly string[]): string =>
  ['tasks: { web: {} }', 'steps:', ...lines.map((line) => `  - ${line}`)].join('\n')

test('a scenario is read with its defaults, durations in ms', () => {
  const scenario = parse(`
tasks:
  web: { cpu: 128, pull: [1s, 2.5s], run: forever, stop: 40ms }
steps:
  - createService: { name: front, task: web, count: 10, strategy: ['spread(instanceId)'] }
  - waitUntilSteady: 2m
`)
  expect(scenario.seed).toBe(1)
  expect(scenario.hosts).toEqual(usualHosts)
  expect(scenario.tasks['web']).toEqual({ ...labTask({}), cpu: 128, pull: [1000, 2500], run: Infinity, stop: 40 })
  expect(scenario.steps).toEqual([
    {
      kind: 'createService',
      with: { name: 'front', task: 'web', count: 10, strategy: ['spread(instanceId)'], constraints: [] },
    },
    { kind: 'waitUntilSteady', with: 120_000 },
  ])
})

test('JSON is YAML', () => {
  expect(parse('{"steps":[{"wait":"1s"}]}').steps).toEqual([{ kind: 'wait', with: 1000 }])
})

test.each([
  ['no step', 'steps: []', 'steps: '],
  ['a word that is no step', steps('explode: {}'), 'steps[0]: must be one of addHosts, createService'],
  ['two steps in one', steps('{ wait: 1s, kill: { zone: b } }'), 'steps[0]: must be one of'],
  ['a step that says nothing', steps('{}'), 'not nothing'],
  ['a duration without a unit', steps('wait: 30'), 'steps[0].wait: '],
  ['a duration of another unit', steps('wait: 3 days'), 'steps[0].wait: must be a duration such as'],
  ['an unknown member', steps('kill: { zone: b, rack: 3 }'), 'steps[0].kill: Unrecognized key: "rack"'],
  ['nobody to kill', steps('kill: {}'), 'steps[0].kill: must name hosts'],
  ['a zone that is no letter', steps('kill: { zone: us-east-1b }'), 'steps[0].kill.zone: must be the letter of a zone'],
  ['a range that runs backwards', 'tasks: { web: { pull: [2s, 1s] } }\nsteps: [{ wait: 1s }]', 'tasks.web.pull: '],
  [
    'a strategy of no kind',
    steps('runTasks: { task: web, count: 1, strategy: [tidy] }'),
    'strategy[0]: must be random',
  ],
  ['a likelihood above 1', 'tasks: { web: { crashRate: 2 } }\nsteps: [{ wait: 1s }]', 'tasks.web.crashRate: '],
  ['a task that is not there', steps('runTasks: { task: batch, count: 1 }'), 'runTasks.task: there is no batch'],
  ['a service that is not there', steps('deploy: { service: web }'), 'deploy.service: no step before creates'],
  [
    'a service twice',
    steps(...Array(2).fill('createService: { name: a, task: web, count: 1 }')),
    'there is a service a',
  ],
  ['no YAML', 'steps: [', 'lab.yaml: '],
])('refuses %s, and says where', (_what, text, words) => {
  expect(() => parse(text)).toThrow(words)
})

test('all mistakes are named at once', () => {
  expect(() => parse(steps('wait: never', 'kill: {}'))).toThrow(/steps\[0\].wait[^]*steps\[1\].kill/)
})

test('the scenario that is shipped can be played', () => {
  const path = new URL('../../../../deploy/lab/zone-loss.yaml', import.meta.url)
  const { hosts, steps: played } = parseScenario(readFileSync(path, 'utf8'), 'zone-loss.yaml')
  expect(hosts.count).toBe(2000)
  expect(played.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['kill', 'return', 'waitUntilSteady']))
})

test('without a scenario hosts become four fifths full', () => {
  const { steps: played } = usualScenario({ count: 10, cpu: 1024, memory: 16_384, zones: 3 })
  // Four tasks of 256 CPU units fit on each of the ten.
  expect(played[0]).toMatchObject({ kind: 'runTasks', with: { count: 32 } })
})

test.each([
  ['random', { type: 'random' }],
  ['binpack(memory)', { type: 'binpack', field: 'memory' }],
  ['spread(attribute:ecs.availability-zone)', { type: 'spread', field: 'attribute:ecs.availability-zone' }],
])("the strategy %s is ECS's", (text, strategy) => {
  expect(placementStrategy(text)).toEqual(strategy)
})

test("constraints are ECS's", () => {
  expect(placementConstraint('distinctInstance')).toEqual({ type: 'distinctInstance' })
  expect(placementConstraint('memberOf(attribute:rack == (a))')).toEqual({
    type: 'memberOf',
    expression: 'attribute:rack == (a)',
  })
})
