import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { describeExpression } from './describe.ts'
import { type QueriedHost, evaluate } from './evaluate.ts'
import { parseQuery } from './parse.ts'
import { OPERATORS } from './tokenize.ts'
import { propertyRuns } from '../testing/property-runs.ts'

const HOST: QueriedHost = {
  attributes: new Map<string, string | null>([
    ['ecs.availability-zone', 'us-east-1a'],
    ['ecs.instance-type', 't2.small'],
    ['gpu-count', '16'],
    ['stack', 'prod'],
    ['flag', null],
    ['spaced', 'a b (c)'],
  ]),
  ec2InstanceId: 'i-abc',
  agentVersion: '1.10.2',
  registeredAt: Date.UTC(2018, 5, 18, 22, 28, 28),
  agentConnected: true,
  runningTasksCount: 3,
  taskGroups: () => ['service:web', 'family:batch'],
}

function holds(text: string): boolean {
  const parsed = parseQuery(text)
  if (!parsed.ok) throw new Error(`${text}: ${parsed.error.message}`)
  return evaluate(parsed.expression, HOST)
}

describe('the cluster query language', () => {
  it.each([
    ['attribute:ecs.instance-type == t2.small', true],
    ['attribute:ecs.instance-type equals "t2.small"', true],
    ['attribute:ecs.instance-type != t2.small', false],
    ['attribute:missing != x', true],
    ['attribute:missing == x', false],
    ['attribute:missing not_equals x', true],
    ['attribute:stack exists', true],
    ['attribute:flag exists', true],
    ['attribute:missing !exists', true],
    ['attribute:missing not_exists', true],
    ['attribute:stack !exists', false],
    ['attribute:gpu-count > 9', true],
    ['attribute:gpu-count greater_than 9', true],
    ['attribute:gpu-count >= 16', true],
    ['attribute:gpu-count greater_than_equal 17', false],
    ['attribute:gpu-count < 100', true],
    ['attribute:gpu-count less_than 2', false],
    ['attribute:gpu-count <= 16', true],
    ['attribute:gpu-count less_than_equal 15.5', false],
    ['attribute:gpu-count == 16.0', true],
    ['attribute:missing > 1', false],
    ['attribute:stack in [dev, prod]', true],
    ["attribute:stack in ['dev','test']", false],
    ['attribute:stack !in [dev, test]', true],
    ['attribute:stack not_in [dev,prod]', false],
    ['attribute:missing not_in [dev,prod]', true],
    ['attribute:stack in prod', true],
    ['attribute:ecs.instance-type =~ t2.*', true],
    ['attribute:ecs.instance-type =~ t2', false],
    ['attribute:ecs.instance-type matches (t2|m4)\\.small', true],
    ['(attribute:ecs.instance-type =~ (t2|m4).*)', true],
    ['ec2InstanceId =~ i-[a-f]{3,17}', true],
    ['attribute:ecs.instance-type !~ t2.*', false],
    ['attribute:ecs.instance-type not_matches g.*', true],
    ['attribute:spaced == "a b (c)"', true],
    ['attribute:spaced =~ "a b .*"', true],
    ['agentConnected == true', true],
    ['agentConnected == false', false],
    ['agentVersion >= 1.9.0', true],
    ['agentVersion < 1.10.10', true],
    ['agentVersion == 1.10.2', true],
    ['ec2InstanceId in [i-abc, i-def]', true],
    ['registeredAt >= 2018-06-18T22:28:28+00:00', true],
    ['registeredAt > 2018-06-18T22:28:28Z', false],
    ['registeredAt == 2018-06-19T00:28:28+02:00', true],
    ['registeredAt < 2018-06-19', true],
    ['registeredAt > 2018-06-18T22:28', true],
    ['runningTasksCount < 5', true],
    ['runningTasksCount == 3', true],
    ['task:group == service:web', true],
    ['task:group == service:db', false],
    ['not(task:group == service:web)', false],
    ['task:group != service:db', true],
    ['task:group =~ service:.*', true],
    ['task:group in [family:batch]', true],
    ['!(attribute:stack == prod)', false],
    ['! attribute:stack == prod', false],
    ['not attribute:stack == dev && attribute:flag exists', true],
    ['attribute:stack == dev || attribute:stack == prod && attribute:missing exists', false],
    ['attribute:stack == prod or attribute:stack == dev and attribute:missing exists', true],
    ['(attribute:stack == prod or attribute:stack == dev) and attribute:missing exists', false],
    ['attribute:stack==prod&&attribute:flag exists', true],
    ['attribute:ecs.availability-zone in [us-east-1a, us-east-1b] && attribute:ecs.instance-type =~ t2.*', true],
  ])('%s is %s', (text, expected) => {
    expect(holds(text)).toBe(expected)
  })

  it.each([
    ['', 0],
    ['attribute:a', 11],
    ['attribute: == x', 0],
    ['colour == x', 0],
    ['attribute:a === x', 16],
    ['attribute:a = x', 12],
    ['attribute:a == ', 15],
    ['attribute:a == x y', 17],
    ['attribute:a == x &&', 19],
    ['attribute:a == x & attribute:b exists', 17],
    ['(attribute:a == x', 17],
    ['attribute:a == x)', 16],
    ['attribute:a in [x', 17],
    ['attribute:a in [x y]', 18],
    ['attribute:a in []', 16],
    ['attribute:a == "x', 15],
    ['attribute:a =~ [', 15],
    ['attribute:a =~ (?=x)', 15],
    ['attribute:a =~ (a?){1000}', 15],
    ['attribute:a =~ (x{30}y{2}){30}', 15],
    ['attribute:a =~ (a)\\1', 15],
    ['registeredAt > yesterday', 15],
    ['registeredAt > 2018-02-30', 15],
    ['runningTasksCount > many', 20],
    ['attribute:a exists x', 19],
    ['"a" == b', 0],
  ])('refuses %j at %i', (text, position) => {
    const parsed = parseQuery(text)
    expect(parsed).toMatchObject({ ok: false, error: { position } })
  })

  it('refuses texts and nesting beyond its limits', () => {
    expect(parseQuery(`attribute:a == ${'x'.repeat(1985)}`).ok).toBe(true)
    expect(parseQuery(`attribute:a == ${'x'.repeat(1986)}`).ok).toBe(false)
    const nested = (depth: number) => `${'('.repeat(depth)}attribute:a exists${')'.repeat(depth)}`
    expect(parseQuery(nested(100)).ok).toBe(true)
    expect(parseQuery(nested(101))).toMatchObject({ ok: false, error: { position: 101 } })
  })

  it('matches patterns that ruin a backtracking engine', () => {
    const parsed = parseQuery('attribute:a =~ (a+)+b')
    if (!parsed.ok) throw new Error(parsed.error.message)
    const value = 'a'.repeat(5000)
    expect(evaluate(parsed.expression, { ...HOST, attributes: new Map([['a', value]]) })).toBe(false)
    expect(evaluate(parsed.expression, { ...HOST, attributes: new Map([['a', `${value}b`]]) })).toBe(true)
  })
})

const WORDS = [
  ...OPERATORS.keys(),
  'attribute:stack',
  'attribute:gpu-count',
  'task:group',
  'runningTasksCount',
  'registeredAt',
  'agentVersion',
  'prod',
  '16',
  '2018-06-18',
  '[prod, dev]',
  '"a b"',
  "'x'",
  't2.*',
  '(a|b)*',
  '&&',
  '||',
  'and',
  'or',
  'not',
  '!',
  '(',
  ')',
  '[',
  ']',
  ',',
  '"',
  '\\',
  '&',
  '|',
]

/** What `fc.string({ unit: 'binary' })` draws from; that takes most of a second to make, for which every mutant would pay. */
const anyCodePoint = fc.integer({ min: 0, max: 0x10_ff_ff })

const someText = fc.oneof(
  fc.string({ maxLength: 60 }),
  fc.array(anyCodePoint, { maxLength: 60 }).map((points) => String.fromCodePoint(...points)),
  fc.array(fc.constantFrom(...WORDS), { maxLength: 14 }).map((words) => words.join(' ')),
  fc.array(fc.constantFrom(...WORDS), { maxLength: 14 }).map((words) => words.join('')),
)

describe('any text', () => {
  it('is an expression that can be asked, or has a problem at a position inside it', () => {
    fc.assert(
      fc.property(someText, (text) => {
        const parsed = parseQuery(text)
        if (parsed.ok) {
          expect(typeof evaluate(parsed.expression, HOST)).toBe('boolean')
          return
        }
        expect(parsed.error.position).toBeGreaterThanOrEqual(0)
        expect(parsed.error.position).toBeLessThanOrEqual(text.length)
        expect(parsed.error.message).toContain(`at position ${parsed.error.position}`)
      }),
      propertyRuns(20_000),
    )
  })

  it('that is an expression, described and parsed again, is the same expression', () => {
    const predicate = fc
      .tuple(
        fc.constantFrom('attribute:stack', 'task:group', 'ec2InstanceId'),
        fc.constantFrom(...OPERATORS.keys()),
        fc.constantFrom('prod', '"a \\"b\\" c"', "'it is'", 'x.*', '1.5'),
      )
      .map(([subject, operator, value]) =>
        operator.endsWith('exists') ? `${subject} ${operator}` : `${subject} ${operator} ${value}`,
      )
    const expression = fc.letrec<{ node: string }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        predicate,
        tie('node').map((inner) => `!(${inner})`),
        fc
          .tuple(tie('node'), fc.constantFrom('&&', '||'), tie('node'))
          .map(([left, joint, right]) => `(${left}) ${joint} (${right})`),
      ),
    })).node
    fc.assert(
      fc.property(expression, (text) => {
        const parsed = parseQuery(text)
        if (!parsed.ok) throw new Error(`${text}: ${parsed.error.message}`)
        const described = describeExpression(parsed.expression)
        const again = parseQuery(described)
        if (!again.ok) throw new Error(`${described}: ${again.error.message}`)
        expect(describeExpression(again.expression)).toBe(described)
        expect(JSON.stringify(again.expression)).toBe(JSON.stringify(parsed.expression))
      }),
      propertyRuns(2000),
    )
  })
})
