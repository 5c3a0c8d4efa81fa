import { RE2JS } from 're2js'
import type { SafePattern } from './expression.ts'
import { QuerySyntaxError } from './tokenize.ts'

/**
 * Compiles a regular expression for RE2's automaton, whose time is linear in the length of the value whatever the pattern:
 * no user's pattern can hang the loop. What only a backtracking engine can do (look-around, back-references, possessive
 * quantifiers of Java) is refused. A pattern matches whole values, as in ECS.
 *
 * @throws QuerySyntaxError at `position` when the pattern is none.
 */
export function compilePattern(source: string, position: number): SafePattern {
  try {
    const compiled = RE2JS.compile(source)
    return { source, matches: (value) => compiled.matches(value) }
  } catch (error) {
    throw new QuerySyntaxError(`'${source}' is not a usable regular expression (${wordsOf(error)})`, position)
  }
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
