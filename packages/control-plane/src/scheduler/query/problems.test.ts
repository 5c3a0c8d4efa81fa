import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { propertyRuns } from '../testing/property-runs.ts'
import { parseQuery } from './parse.ts'

describe('what is said of a text that is no query', () => {
  it.each([
    ['', 'expected a subject but found the end at position 0'],
    ['"a" == b', `expected a subject, '!' or '(' but found '"' at position 0`],
    [')', "expected a subject but found ')' at position 0"],
    ['attribute: == x', 'an attribute needs a name at position 0'],
    ['(colour == x)', "unknown subject 'colour' at position 1"],
    ['attribute:a', 'expected an operator but found the end at position 11'],
    ['attribute:a like x', "unknown operator 'like' at position 12"],
    ['attribute:a = x', "unknown operator '=' at position 12"],
    ['attribute:a == ', 'expected a value but found the end at position 15'],
    ['attribute:a == )', "expected a value but found ')' at position 15"],
    ['attribute:a == [x]', "expected a value but found '[' at position 15"],
    ['attribute:a == "x', 'this quote is never closed at position 15'],
    ['attribute:a == x y', `expected '&&', '||' or ')' but found 'y' at position 17`],
    ['attribute:a == x & b', `expected '&&', '||' or ')' but found '&' at position 17`],
    ['attribute:a == x)', "expected the end but found ')' at position 16"],
    ['(attribute:a == x', "expected ')' but found the end at position 17"],
    ['attribute:a == x && && b', `expected a subject, '!' or '(' but found '&' at position 20`],
    ['attribute:a == x ||', 'expected a subject but found the end at position 19'],
    ['attribute:a in [', 'expected a value but found the end at position 16'],
    ['attribute:a in []', "expected a value but found ']' at position 16"],
    ['attribute:a in [x,,y]', "expected a value but found ',' at position 18"],
    ['attribute:a in [x y]', "expected ',' or ']' but found 'y' at position 18"],
    ['attribute:a in [x(]', "expected a value but found '(' at position 17"],
    ['attribute:a in [x', "expected ',' or ']' but found the end at position 17"],
    ['attribute:a =~', 'expected a pattern but found the end at position 14'],
    ['attribute:a =~ )', "expected a pattern but found ')' at position 15"],
    ['attribute:a =~ x]', `expected '&&', '||' or ')' but found ']' at position 16`],
    ['attribute:a =~ && b', "expected a pattern but found '&' at position 15"],
    ['registeredAt > soon', "'soon' is not a date such as 2018-06-18T22:28:28Z at position 15"],
    ['registeredAt in [2018-06-18, soon]', "'soon' is not a date such as 2018-06-18T22:28:28Z at position 29"],
    ['runningTasksCount > many', "'many' is not a number of tasks at position 20"],
    ['runningTasksCount == 1x', "'1x' is not a number of tasks at position 21"],
    ['runningTasksCount == x1', "'x1' is not a number of tasks at position 21"],
    ['not', 'expected a subject but found the end at position 3'],
    ['attribute:a exists x', `expected '&&', '||' or ')' but found 'x' at position 19`],
    ['attribute:a =~ (a{200}){200}', 'the repeat counts of this regular expression are too large at position 15'],
    ['attribute:a =~ (a{1,200}){1,200}', 'the repeat counts of this regular expression are too large at position 15'],
    ['attribute:a =~ (a{200,}){200,}', 'the repeat counts of this regular expression are too large at position 15'],
  ])('%j: %s', (text, message) => {
    expect(parseQuery(text)).toEqual({ ok: false, error: { message, position: expect.any(Number) as number } })
  })

  it('names the pattern that is no regular expression', () => {
    const parsed = parseQuery('attribute:a =~ (x')
    if (parsed.ok) throw new Error('was read')
    expect(parsed.error.message).toMatch(/^'\(x' is not a usable regular expression \(.+\) at position 15$/)
  })

  it('takes a pattern of 5,000 states and none of more', () => {
    const ofStates = (states: number) => parseQuery(`attribute:a =~ ${'a'.repeat(states / 100 - 5)}{100}`)
    expect(ofStates(5000).ok).toBe(true)
    expect(ofStates(5100)).toMatchObject({ error: { position: 15 } })
  })

  it('says how long a query and how deep its brackets may be', () => {
    const long = parseQuery('x'.repeat(2001))
    expect(long).toMatchObject({
      error: { message: 'an expression has at most 2000 characters at position 2000', position: 2000 },
    })
    const deep = parseQuery(`${'!'.repeat(101)}attribute:a exists`)
    expect(deep).toMatchObject({ error: { message: 'more than 100 brackets within each other at position 101' } })
    expect(parseQuery(`${'!'.repeat(100)}attribute:a exists`).ok).toBe(true)
  })

  it('takes words in any case, and the signs for them as equals', () => {
    const read = (text: string) => {
      const parsed = parseQuery(text)
      if (!parsed.ok) throw new Error(`${text}: ${parsed.error.message}`)
      return parsed.expression
    }
    expect(read('NOT attribute:a EXISTS And agentVERSION Equals 1 oR Task:Group IN x')).toEqual(
      read('!attribute:a exists && agentVersion == 1 || task:group in [x]'),
    )
    expect(read('attribute:a==x')).toEqual(read('\t attribute:a\r\n==  "x" '))
    expect(read(String.raw`attribute:a == 'it\'s \\ "\n"'`)).toMatchObject({ value: String.raw`it's \ "\n"` })
    expect(read(String.raw`attribute:a == 'x\\'`)).toMatchObject({ value: 'x\\' })
    expect(read('attribute:a == x&y|z')).toMatchObject({ value: 'x&y|z' })
    expect(read('attribute:a == x&&attribute:b == y')).toMatchObject({ kind: 'and', operands: [{ value: 'x' }, {}] })
  })

  it.each([
    ['(attribute:a =~ (t2|m4).*)', '(t2|m4).*'],
    [String.raw`attribute:a =~ a\)b)`.slice(0, -1), String.raw`a\)b`],
    [String.raw`attribute:a =~ "a b\"c"`, 'a b"c'],
    ['attribute:a =~ [a-z]+||attribute:b exists', '[a-z]+'],
    ['attribute:a =~ (x)&&attribute:b exists', '(x)'],
  ])('a pattern ends where it seems to: %s', (text, source) => {
    expect(JSON.stringify(parseQuery(text))).toContain(`"source":${JSON.stringify(source)}`)
  })
})

describe('any pattern', () => {
  const pattern = fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom('a', 'b', '[a-z]', '[ab]', 'a?', '\\w', 'aa'),
      fc
        .tuple(tie('node'), fc.constantFrom('*', '+', '?', '{2,9}', '*?', ''))
        .map(([inner, times]) => `(${inner})${times}`),
      fc.tuple(tie('node'), tie('node')).map((parts) => parts.join('')),
      fc.tuple(tie('node'), tie('node')).map((parts) => `(${parts.join('|')})`),
    ),
  })).node

  // Backtracking would not come back from these: that the test ends is what it says.
  it('comes to an end on any value, however its repetitions lie in one another', () => {
    fc.assert(
      fc.property(pattern, fc.integer({ min: 0, max: 400 }), (source, length) => {
        const parsed = parseQuery(`attribute:a =~ "${source.replaceAll('\\', '\\\\')}"`)
        if (!parsed.ok) {
          expect(parsed.error.message).toMatch(/ at position \d+$/)
          return
        }
        if (parsed.expression.kind !== 'matches') throw new Error('is no pattern')
        const { pattern: compiled } = parsed.expression
        expect(compiled.source).toBe(source)
        const verdict = compiled.matches(`${'a'.repeat(length)}!`)
        expect(verdict).toBe(false)
        expect(compiled.matches(`${'a'.repeat(length)}!`)).toBe(verdict)
      }),
      propertyRuns(300),
    )
  })
})
