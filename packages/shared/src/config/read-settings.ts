import { readFile } from 'node:fs/promises'
import { parseEnvFile } from './env-file.ts'
import type { Setting } from './setting.ts'

export type Texts = Readonly<Record<string, string | undefined>>

/** Settings by the name under which their value is kept. */
export type Settings = Readonly<Record<string, Setting<unknown>>>

/** The values that a table of settings gives. */
export type SettingValues<S extends Settings> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never
}

/** What has been said about a program, and where: flags before the environment, the environment before files. */
export interface SettingSources {
  /** By the flags of the settings, without dashes. */
  readonly flags: Texts
  readonly environment: Texts
  /** The first file that has a setting counts. */
  readonly files: readonly { readonly path: string; readonly text: string }[]
}

/** One place where settings were found. */
export interface Said {
  readonly where: string
  readonly isFlags: boolean
  readonly texts: Texts
}

/** The configuration is wrong: every mistake in it, each in a sentence that names the setting and where it was set. */
export class ConfigError extends Error {
  readonly mistakes: readonly string[]
  constructor(program: string, mistakes: readonly string[]) {
    super([`${program} is not configured well:`, ...mistakes.map((mistake) => `  - ${mistake}`)].join('\n'))
    this.name = 'ConfigError'
    this.mistakes = mistakes
  }
}

/**
 * How a program ends whose settings are wrong, or that is not let in by what it was told: whoever supervises it should not start it again
 * until somebody has mended that. BSD's `EX_CONFIG`.
 */
export const misconfiguredExitCode = 78

/** What was read, where each text stood, and what is wrong: a mistake leaves its setting out of the values. */
export interface ReadSettings<S extends Settings> {
  readonly values: Partial<SettingValues<S>>
  readonly said: readonly Said[]
  readonly mistakes: readonly string[]
}

/** Reads every setting of the table from the sources; the first source that has one counts. */
export function readSettings<S extends Settings>(settings: S, sources: SettingSources): ReadSettings<S> {
  const mistakes: string[] = []
  const said = inOrder(sources, mistakes)
  const values: Record<string, unknown> = {}
  for (const [key, setting] of Object.entries(settings)) {
    const { value, mistake } = readSetting(setting, said)
    values[key] = value
    if (mistake !== undefined) mistakes.push(mistake)
  }
  mistakes.push(...unknownFlags(settings, sources.flags))
  return { values: values as Partial<SettingValues<S>>, said, mistakes }
}

/** The files that there are; one that does not exist says nothing. Throws an error of the file system for one that cannot be read. */
export const readSettingFiles = (paths: readonly string[]): Promise<{ path: string; text: string }[]> =>
  Promise.all(paths.map(async (path) => ({ path, text: await textOf(path) })))

function inOrder(sources: SettingSources, mistakes: string[]): readonly Said[] {
  const files = sources.files.map(({ path, text }) => {
    const { values, badLines } = parseEnvFile(text)
    for (const line of badLines) mistakes.push(`${path}, line ${line}: this is not KEY=VALUE`)
    return { where: path, isFlags: false, texts: values }
  })
  return [
    { where: 'the command line', isFlags: true, texts: sources.flags },
    { where: 'the environment', isFlags: false, texts: sources.environment },
    ...files,
  ]
}

function readSetting(setting: Setting<unknown>, said: readonly Said[]): { value?: unknown; mistake?: string } {
  const found = find(setting, said)
  const text = found?.text ?? setting.default
  if (text === undefined) {
    return setting.required === true
      ? { mistake: `${setting.names[0]} is not set: ${setting.help}` }
      : { value: undefined }
  }
  const result = setting.schema.safeParse(text)
  if (result.success) return { value: result.data }
  const shown = setting.secret === true ? 'its value' : JSON.stringify(text)
  const why = result.error.issues[0]?.message ?? 'is not valid'
  return { mistake: `${found?.name ?? setting.names[0]} (from ${found?.where ?? 'its default'}): ${shown} ${why}` }
}

/** An empty text in the environment or a file is taken for unset, as Amazon's agent does. */
function find(setting: Setting<unknown>, said: readonly Said[]) {
  for (const { where, isFlags, texts } of said) {
    const keys = isFlags ? (setting.flag === undefined ? [] : [setting.flag]) : setting.names
    for (const key of keys) {
      const text = texts[key]
      if (text !== undefined && (isFlags || text !== '')) return { text, where, name: isFlags ? `--${key}` : key }
    }
  }
  return undefined
}

const unknownFlags = (settings: Settings, flags: Texts): readonly string[] => {
  const known = new Set(Object.values(settings).flatMap(({ flag }) => flag ?? []))
  return Object.keys(flags)
    .filter((name) => !known.has(name))
    .map((name) => `--${name}: there is no such option`)
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}
