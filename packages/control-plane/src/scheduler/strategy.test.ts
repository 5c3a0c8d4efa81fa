import { describe, expect, it } from 'vitest'
import { compileConstraints, scopeOf } from './constraint.ts'
import { type StrategyStep, compileStrategy, describeStep } from './strategy.ts'
import { parseQuery } from './query/parse.ts'

const wrongField = (field: string, type: string, allowed: string) =>
  `Invalid field '${field}' for the ${type} placement strategy: it must be ${allowed}.`

describe('a strategy', () => {
  it.each([
    [[{ type: 'binpack', field: 'disk' }], wrongField('disk', 'binpack', 'cpu or memory')],
    [[{ type: 'binpack' }], wrongField('', 'binpack', 'cpu or memory')],
    [
      [{ type: 'spread', field: 'attribute:' }],
      wrongField('attribute:', 'spread', 'instanceId, host or attribute:NAME'),
    ],
    [[{ type: 'spread', field: 'rack' }], wrongField('rack', 'spread', 'instanceId, host or attribute:NAME')],
    [
      [{ type: 'spread', field: 'availability-zone' }],
      wrongField('availability-zone', 'spread', 'instanceId, host or attribute:NAME'),
    ],
    [[{ type: 'random', field: 'x' }], 'The random placement strategy takes no field.'],
    [[{ type: 'random' }, {}], "Invalid placement strategy type '': it must be random, spread or binpack."],
    [Array.from({ length: 6 }, () => ({ type: 'random' })), 'placementStrategy can not have more than 5 items.'],
  ])('%j is refused: %s', (items, message) => {
    expect(compileStrategy(items)).toEqual({ ok: false, message })
  })

  it('may have five steps, and its words are what was asked', () => {
    const items = [
      { type: 'SPREAD', field: 'attribute:Rack' },
      { type: 'spread', field: 'InstanceID' },
      { type: 'BinPack', field: 'CPU' },
      { type: 'binpack', field: 'memory' },
      { type: 'Random' },
    ]
    const compiled = compileStrategy(items)
    if (!compiled.ok) throw new Error(compiled.message)
    expect(compiled.steps.map(describeStep)).toEqual([
      'spread(attribute:Rack)',
      'spread(instanceId)',
      'binpack(cpu)',
      'binpack(memory)',
      'random',
    ])
    expect(describeStep({ type: 'binpack', field: 'room' } satisfies StrategyStep)).toBe('binpack(room)')
  })
})

describe('a constraint', () => {
  it.each([
    [[{ type: 'distinctInstance', expression: 'x' }], 'The distinctInstance placement constraint takes no expression.'],
    [[{}], "Invalid placement constraint type '': it must be distinctInstance or memberOf."],
    [
      Array.from({ length: 11 }, () => ({ type: 'distinctInstance' })),
      'placementConstraints can not have more than 10 items.',
    ],
  ])('%j is refused: %s', (items, message) => {
    expect(compileConstraints(items)).toEqual({ ok: false, message })
  })

  it('that cannot be read says where', () => {
    expect(
      compileConstraints([{ type: 'distinctInstance' }, { type: 'memberOf', expression: 'attribute:a ==' }]),
    ).toEqual({
      ok: false,
      message:
        'Invalid expression for the memberOf placement constraint: expected a value but found the end at position 14',
      position: 14,
    })
  })

  it('comes up to ten times, and without an expression', () => {
    const items = Array.from({ length: 10 }, () => ({ type: 'distinctInstance', expression: '' }))
    expect(compileConstraints(items)).toEqual({ ok: true, constraints: items.map(({ type }) => ({ type })) })
  })

  it.each([
    ['attribute:a exists', 'class'],
    ['attribute:a exists && agentVersion > 1', 'class'],
    ['attribute:a exists || ec2InstanceId == i-1', 'host'],
    ['!(registeredAt > 2020-01-01)', 'host'],
    ['agentConnected == true', 'host'],
    ['agentConnected == true && runningTasksCount < 1', 'tasks'],
    ['task:group == a || attribute:a exists', 'tasks'],
  ])('%s can be remembered by %s', (text, scope) => {
    const parsed = parseQuery(text)
    if (!parsed.ok) throw new Error(parsed.error.message)
    expect(scopeOf(parsed.expression)).toBe(scope)
    expect(compileConstraints([{ type: 'memberOf', expression: text }])).toMatchObject({
      constraints: [{ text, scope }],
    })
  })
})
