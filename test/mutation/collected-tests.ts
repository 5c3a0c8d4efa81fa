import { format } from 'node:util'

/** What the tests of the scheduler get in place of Vitest: the same words, which only note the tests; and Vitest's own `expect`. */
export { expect } from 'vitest'

/** A test that was noted. */
export interface CollectedTest {
  /** Its file and its words, and a number: rows of one table may have the same words. */
  readonly id: string
  run(): unknown
}

const collected: CollectedTest[] = []
const words: string[] = []

/** Runs `load`, which imports test files, and returns the tests that they define, in their order; those of a file begin with its name. */
export async function collect(
  files: readonly string[],
  load: (file: string) => Promise<unknown>,
): Promise<CollectedTest[]> {
  collected.length = 0
  for (const file of files) {
    words.push(file)
    await load(file)
    words.pop()
  }
  return [...collected]
}

/** What comes between the name and the function, time limits, means nothing here: Stryker has its own. */
type Body = readonly [...options: unknown[], body: (...row: readonly unknown[]) => unknown]

const bodyOf = (rest: Body) => rest.at(-1) as (...row: readonly unknown[]) => unknown

export function describe(name: string, ...rest: Body): void {
  words.push(name)
  bodyOf(rest)()
  words.pop()
}

function note(name: string, run: () => unknown): void {
  collected.push({ id: `${[...words, name].join(' > ')} #${collected.length}`, run })
}

const test = (name: string, ...rest: Body): void => note(name, bodyOf(rest))

test.each =
  (rows: readonly unknown[]) =>
  (name: string, ...rest: Body): void => {
    for (const row of rows) {
      const values = Array.isArray(row) ? (row as readonly unknown[]) : [row]
      note(format(name, ...values), () => bodyOf(rest)(...values))
    }
  }

export { test, test as it }
