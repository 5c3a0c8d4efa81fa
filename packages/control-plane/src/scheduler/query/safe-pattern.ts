import { RE2JS } from 're2js'
import type { SafePattern } from './expression.ts'
import { remembering } from './remember.ts'
import { QuerySyntaxError } from './tokenize.ts'

/**
 * The most states a pattern may unfold to, by an upper estimate: its length times all its repeat counts. The time of a match
 * is states times characters, so this holds the worst to some ten milliseconds; `ip-\d{1,3}-\d{1,3}-\d{1,3}-\d{1,3}` is at 3,200.
 */
const MAX_STATES = 5000

/** How many values a pattern remembers its verdict on: attributes and groups repeat from host to host. */
const REMEMBERED_VALUES = 1000

/**
 * Compiles a regular expression for RE2's automaton, whose time is linear in the length of the value whatever the pattern:
 * no user's pattern can hang the loop. What only a backtracking engine can do (look-around, back-references, possessive
 * quantifiers of Java) is refused, and so are repeat counts that unfold to too many states. A pattern matches whole values,
 * as in ECS.
 *
 * @throws QuerySyntaxError at `position` when the pattern is none, or too large.
 */
export function compilePattern(source: string, position: number): SafePattern {
  if (statesOf(source) > MAX_STATES) {
    throw new QuerySyntaxError('the repeat counts of this regular expression are too large', position)
  }
  const compiled = compile(source, position)
  return { source, matches: remembering(REMEMBERED_VALUES, (value) => compiled.matches(value)) }
}

function compile(source: string, position: number): RE2JS {
  try {
    return RE2JS.compile(source)
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error)
    throw new QuerySyntaxError(`'${source}' is not a usable regular expression (${words})`, position)
  }
}

function statesOf(source: string): number {
  let states = source.length
  for (const [, least, most] of source.matchAll(/\{(\d+),?(\d*)\}/g)) {
    states *= Math.max(1, Number(least), Number(most))
  }
  return states
}
