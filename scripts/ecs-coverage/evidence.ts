import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { shownBy } from './shown-by.ts'
import { testsOfFile, type WrittenTest } from './tests-of-file.ts'

/** A test that shows that something works. */
export interface Evidence {
  /** From the root of the repository. */
  readonly file: string
  readonly title: string
}

/** The test that shows each operation and member of the page. */
export const evidenceOf: ReadonlyMap<string, Evidence> = new Map(
  Object.entries(shownBy).flatMap(([file, tests]) =>
    Object.entries(tests).flatMap(([title, shown]) => shown.map((what) => [what, { file, title }] as const)),
  ),
)

/**
 * What is wrong with the map, in sentences: a test that is not there any more, one that does not mention what it is to show,
 * something that works and has none, and what has one though it does not work.
 *
 * @param works every operation and member that the page says works or is kept.
 */
export function evidenceProblems(works: readonly string[], root: string): readonly string[] {
  const expected = new Set(works)
  return [
    ...works
      .filter((what) => !evidenceOf.has(what))
      .map((what) => `${what} works, and no test in shown-by.ts shows it.`),
    ...[...evidenceOf.keys()]
      .filter((what) => !expected.has(what))
      .map((what) => `${what} is in shown-by.ts, and not on the page.`),
    ...Object.entries(shownBy).flatMap(([file, tests]) => fileProblems(file, tests, root)),
  ]
}

function fileProblems(
  file: string,
  shown: Readonly<Record<string, readonly string[]>>,
  root: string,
): readonly string[] {
  const path = join(root, file)
  if (!existsSync(path)) return [`${file} is in shown-by.ts, and is not there.`]
  const written = testsOfFile(path)
  return Object.entries(shown).flatMap(([title, names]) => {
    const named = written.filter((test) => test.title === title)
    if (named.length === 0) return [`${file} has no test "${title}", which shown-by.ts names.`]
    return names
      .filter((name) => !named.some((test) => mentions(test, name)))
      .map((name) => `"${title}" in ${file} does not mention ${name}, which shown-by.ts says that it shows.`)
  })
}

/** By the name of the last part, as the SDK writes it or as an option or command of the aws command. */
export function mentions({ text }: WrittenTest, name: string): boolean {
  const last = name.split('.').at(-1) ?? name
  const kebab = last.replaceAll(/(?!^)[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).toLowerCase()
  return new RegExp(`\\b${last}(Command)?\\b|(--|\\b)${kebab}\\b`).test(text)
}
