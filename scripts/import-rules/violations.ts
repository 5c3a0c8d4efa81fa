import { posix } from 'node:path'
import { importsOf, type ModuleImport } from './imports-of.ts'
import { isTest, mayKnow, roomOf, TYPES_ONLY } from './rooms.ts'

/**
 * What is wrong with the imports of one file, a sentence each, empty when nothing is.
 *
 * @param file its path from the root of the repository, with forward slashes
 */
export function violationsOf(file: string, source: string): string[] {
  if (file.startsWith('packages/') && roomOf(file) === undefined) {
    return [`${file}: stands in no room; say in scripts/import-rules/rooms.ts what this folder may know`]
  }
  return importsOf(file, source).flatMap((imported) => {
    const wrong = wrongWith(file, imported)
    return wrong === undefined ? [] : [`${file}:${imported.line}: ${wrong}`]
  })
}

function wrongWith(file: string, imported: ModuleImport): string | undefined {
  const { specifier } = imported
  const room = roomOf(file)
  if (specifier === undefined) {
    return room === undefined ? undefined : 'imports a computed name, which no rule can be held against'
  }
  const target = targetOf(file, specifier)
  if (target !== undefined && /^index\.[cm]?[jt]s$/.test(posix.basename(target))) {
    return `imports ${specifier}; name the file that has the thing, not an index`
  }
  if (room === undefined) return undefined
  if (target === undefined) return wrongWithForeign(file, specifier, imported.typeOnly)

  // What tests of several packages share, such as the images they run, is no package and has no name.
  if (isTest(file) && target.startsWith('test/')) return undefined
  if (specifier.startsWith('.') && packageOf(target) !== packageOf(file)) {
    return `leaves its package by ${specifier}; other packages are reached by name, as @berth/shared/clock.ts`
  }
  const other = roomOf(target)
  if (other === undefined) return `imports ${specifier}, which stands in no room`
  if (isTest(target) && !isTest(file)) return `imports ${specifier}, which is for tests only`
  if (mayKnow(room, other, file)) return undefined
  return `${room.name} may not know ${other.name}, of which it imports ${specifier}`
}

function wrongWithForeign(file: string, specifier: string, typeOnly: boolean): string | undefined {
  if (isTest(file)) return undefined
  if (roomOf(file)?.pure === true && specifier.startsWith('node:')) {
    return `imports ${specifier}, but ${roomOf(file)?.name} is pure: hand in what it needs`
  }
  if (!typeOnly && TYPES_ONLY.some((name) => specifier === name || specifier.startsWith(`${name}/`))) {
    return `imports ${specifier} at run time; it may give types only: write \`import type\``
  }
  return undefined
}

/** The path, from the root, of an imported file of this repository; undefined for modules of Node and npm. */
function targetOf(file: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(file), specifier)
  const match = /^@berth\/([^/]+)\/(.+)$/.exec(specifier)
  return match === null ? undefined : `packages/${match[1]}/src/${match[2]}`
}

function packageOf(file: string): string {
  return file.split('/').slice(0, 2).join('/')
}
