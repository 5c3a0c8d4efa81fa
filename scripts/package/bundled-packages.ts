import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A package of npm that is part of a program. */
export interface BundledPackage {
  readonly name: string
  readonly version: string
  /** As SPDX says it. */
  readonly license: string
  /** What the package itself says of it, word for word. */
  readonly text: string
}

/** What may be part of a program: nothing that asks for the source of what it is part of, nothing that limits what it is used for. */
const allowedLicenses: ReadonlySet<string> = new Set([
  'MIT',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'Unlicense',
])

/** The licence of few words, for packages that name it and leave it out. */
const isc = (holder: string): string => `Copyright (c) ${holder}

Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted, provided
that the above copyright notice and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED
WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR
CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT,
NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.`

/**
 * What a bundle consists of beside Berth's own sources, by name. `inputs` are its files, relative to `root`.
 *
 * @throws Error that names every package whose licence is not one of those that are allowed, or that comes without its text.
 */
export async function bundledPackages(root: string, inputs: readonly string[]): Promise<readonly BundledPackage[]> {
  const packages = await Promise.all(
    [...filesByPackage(inputs)].map(([directory, files]) =>
      readPackage(
        join(root, directory),
        files.map((file) => join(root, file)),
      ),
    ),
  )
  const mistakes = packages.flatMap(({ name, version, license, text }) => {
    if (!isAllowed(license)) return [`${name} ${version} is under ${license || 'no licence'}`]
    return text === '' ? [`${name} ${version} comes without the text of its licence (${license})`] : []
  })
  if (mistakes.length > 0) throw new Error(`This cannot be part of what is shipped:\n  ${mistakes.join('\n  ')}`)
  const byName = new Map(packages.map((each) => [`${each.name} ${each.version}`, each]))
  return [...byName.values()].sort((a, b) => `${a.name} ${a.version}`.localeCompare(`${b.name} ${b.version}`, 'en'))
}

/** Files of a bundle by the directory of the package that they are of. */
export function filesByPackage(inputs: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  for (const input of inputs) {
    const [directory] = /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(input) ?? []
    if (directory !== undefined) found.set(directory, [...(found.get(directory) ?? []), input])
  }
  return found
}

/** Whether a licence is one of those that are allowed; of a choice, one of them. */
export const isAllowed = (license: string): boolean =>
  license
    .replace(/^\((.*)\)$/, '$1')
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((part) => allowedLicenses.has(part.trim())))

type Named = string | { readonly type?: string; readonly name?: string }

interface Manifest {
  readonly name?: string
  readonly version?: string
  readonly license?: Named
  readonly licenses?: readonly Named[]
  readonly author?: Named
}

async function readPackage(directory: string, files: readonly string[]): Promise<BundledPackage> {
  const manifest = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as Manifest
  const { name = directory, version = '', author } = manifest
  const license = nameOf(manifest.license ?? manifest.licenses?.[0])
  const names = await readdir(directory)
  const texts = await Promise.all(
    names
      .filter((file) => /^(licen[cs]e|copying|notice)([.-].*)?$/i.test(file))
      .sort()
      .map(async (file) => (await readFile(join(directory, file), 'utf8')).trim()),
  )
  const holder = nameOf(author)
  const text =
    texts.join('\n\n') ||
    (await statementIn(directory, names)) ||
    (await noticesIn(files)) ||
    (license === 'ISC' && holder !== '' ? isc(holder) : '')
  return { name, version, license, text }
}

const nameOf = (named: Named | undefined): string =>
  typeof named === 'string' ? named : (named?.type ?? named?.name ?? '')

/** The part of a README under its heading "License": where some packages say it. */
async function statementIn(directory: string, names: readonly string[]): Promise<string> {
  const readme = names.find((file) => /^readme(\.|$)/i.test(file))
  if (readme === undefined) return ''
  const text = await readFile(join(directory, readme), 'utf8')
  return /^#+\s*licen[cs]e\b[^]*/im.exec(text)?.[0].trim() ?? ''
}

/** The different comments at the head of files that say whose they are. */
async function noticesIn(files: readonly string[]): Promise<string> {
  const heads = await Promise.all(files.map(async (file) => commentAtHead(await readFile(file, 'utf8'))))
  return [...new Set(heads.filter((head) => /copyright/i.test(head)))].sort().join('\n\n')
}

/** The lines that a file begins with and that are comments, without their signs. */
export function commentAtHead(source: string): string {
  const lines = source.split('\n')
  const end = lines.findIndex((line) => !line.startsWith('//'))
  return lines
    .slice(0, end < 0 ? lines.length : end)
    .map((line) => line.replace(/^\/\/ ?/, ''))
    .join('\n')
    .trim()
}
