import { readFileSync } from 'node:fs'
import { parseSync, Visitor } from 'oxc-parser'

/** A test, or a group of them, as it stands in its file. */
export interface WrittenTest {
  readonly title: string
  /** From its first letter to its last, with the table of one that is run for each row. */
  readonly text: string
}

const declarers = new Set(['it', 'test', 'describe'])

/** Every test and group of a file, in the order in which they end. */
export function testsOfFile(path: string): readonly WrittenTest[] {
  const source = readFileSync(path, 'utf8')
  const found: WrittenTest[] = []
  new Visitor({
    'CallExpression:exit'(call) {
      const [title] = call.arguments
      if (title === undefined || !declarers.has(rootName(source.slice(call.callee.start, call.callee.end)))) return
      const written = source.slice(title.start, title.end)
      if (/^['"`]/.test(written)) found.push({ title: unquoted(written), text: source.slice(call.start, call.end) })
    },
  }).visit(parseSync(path, source).program)
  return found
}

const rootName = (callee: string): string => /^\w+/.exec(callee)?.[0] ?? ''

const unquoted = (literal: string): string => literal.slice(1, -1).replaceAll(/\\(['"`])/g, '$1')
