import { describe, expect, it } from 'vitest'
import { describeExpression, describeSubject } from './describe.ts'
import { type QueriedHost, evaluate, valueOf } from './evaluate.ts'
import { parseQuery } from './parse.ts'

function read(text: string) {
  const parsed = parseQuery(text)
  if (!parsed.ok) throw new Error(`${text}: ${parsed.error.message}`)
  return parsed.expression
}

describe('an expression in words', () => {
  it.each([
    ['attribute:a equals x', 'attribute:a == x'],
    ['attribute:a not_equals x', 'attribute:a != x'],
    ['attribute:a greater_than 1', 'attribute:a > 1'],
    ['attribute:a greater_than_equal 1', 'attribute:a >= 1'],
    ['attribute:a less_than 1', 'attribute:a < 1'],
    ['attribute:a less_than_equal 1', 'attribute:a <= 1'],
    ['not(attribute:a > 1)', '!(attribute:a > 1)'],
    ['attribute:a exists', 'attribute:a exists'],
    ['attribute:a not_exists', 'attribute:a !exists'],
    ['attribute:a in x', 'attribute:a in [x]'],
    ['attribute:a not_in [x,"y z"]', 'attribute:a !in [x, "y z"]'],
    ['attribute:a matches x.*', 'attribute:a =~ x.*'],
    ['attribute:a not_matches (x)', 'attribute:a !~ "(x)"'],
    ['TASK:GROUP == service:web', 'task:group == service:web'],
    ['agentconnected == true', 'agentConnected == true'],
    ['not not attribute:a exists', '!(attribute:a !exists)'],
    [
      'attribute:a exists and (attribute:b exists or attribute:c exists)',
      'attribute:a exists && (attribute:b exists || attribute:c exists)',
    ],
    [
      '(attribute:a exists and attribute:b exists) or attribute:c exists',
      '(attribute:a exists && attribute:b exists) || attribute:c exists',
    ],
    ['!(attribute:a exists && attribute:b exists)', '!(attribute:a exists && attribute:b exists)'],
    [String.raw`attribute:a == 'say "\\"'`, String.raw`attribute:a == "say \"\\\""`],
    ["attribute:a == ''", 'attribute:a == ""'],
  ])('%s is %s', (text, words) => {
    expect(describeExpression(read(text))).toBe(words)
  })

  it.each([
    'attribute:x.y',
    'task:group',
    'agentConnected',
    'agentVersion',
    'ec2InstanceId',
    'registeredAt',
    'runningTasksCount',
  ])('its subject is %s', (subject) => {
    const expression = read(`${subject} exists`)
    if (expression.kind !== 'exists') throw new Error('is no question of existence')
    expect(describeSubject(expression.subject)).toBe(subject)
  })
})

describe('what a host has', () => {
  const host: QueriedHost = {
    attributes: new Map<string, string | null>([
      ['zone', 'a'],
      ['flag', null],
      ['ten', '10'],
      ['minus', '-3'],
      ['plus', '+2.5'],
      ['odd', '1e3'],
      ['dot', '1.'],
    ]),
    ec2InstanceId: '',
    agentVersion: '1.10',
    registeredAt: Date.UTC(2020, 0, 2, 3, 4, 5),
    agentConnected: false,
    runningTasksCount: 0,
    taskGroups: () => ['service:web', 'family:x', 'service:web'],
  }

  it.each([
    ['attribute:zone', 'a'],
    ['attribute:flag', ''],
    ['attribute:missing', undefined],
    ['task:group', 'service:web, family:x'],
    ['agentConnected', 'false'],
    ['agentVersion', '1.10'],
    ['ec2InstanceId', ''],
    ['registeredAt', '2020-01-02T03:04:05.000Z'],
    ['runningTasksCount', '0'],
  ])('for %s is %s', (subject, value) => {
    const expression = read(`${subject} exists`)
    if (expression.kind !== 'exists') throw new Error('is no question of existence')
    expect(valueOf(expression.subject, host)).toBe(value)
  })

  it.each([
    ['ec2InstanceId exists', false],
    ['agentVersion exists', true],
    ['task:group exists', true],
    ['attribute:flag == ""', true],
    ['attribute:ten > 9', true],
    ['attribute:ten > 9x', false],
    ['attribute:ten < 10', false],
    ['attribute:ten < 9x', true],
    ['attribute:ten == 10.0', true],
    ['attribute:ten == 10.', false],
    ['attribute:minus < -2', true],
    ['attribute:minus > -20', true],
    ['attribute:plus == 2.50', true],
    ['attribute:odd > 999', false],
    ['attribute:odd == 1000', false],
    ['attribute:dot == 1', false],
    ['attribute:zone < b', true],
    ['attribute:zone <= a', true],
    ['attribute:zone >= a', true],
    ['attribute:zone > a', false],
    ['attribute:zone < A', false],
    ['agentVersion == 1.10.0', true],
    ['agentVersion < 1.10.1', true],
    ['agentVersion > 1.10.0', false],
    ['agentVersion > 1.9.99', true],
    ['agentVersion > 1', true],
    ['agentVersion < 1.10.0-beta', true],
    ['agentVersion in [1.9, 1.10.0]', true],
    ['registeredAt in [2020-01-02T03:04:05Z]', true],
    ['registeredAt > 2020-01-02T05:04:04+02:00', true],
    ['runningTasksCount <= 0', true],
    ['runningTasksCount in [00]', true],
    ['task:group =~ family:.', true],
    ['task:group =~ family:', false],
    ['attribute:missing =~ .*', false],
    ['attribute:missing !~ .*', true],
  ])('%s is %s', (text, verdict) => {
    expect(evaluate(read(text), host)).toBe(verdict)
  })

  it('is of the same version whichever side leaves out a zero', () => {
    expect(evaluate(read('agentVersion == 1.10'), { ...host, agentVersion: '1.10.0' })).toBe(true)
    expect(evaluate(read('agentVersion < 1.10'), { ...host, agentVersion: '1.10.0' })).toBe(false)
  })
})
