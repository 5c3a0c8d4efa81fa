import { readFile } from 'node:fs/promises'
import { type AgentConfig, agentSettings } from './agent-settings.ts'
import { ecsSettingsNotHonoured } from './ecs-settings-not-honoured.ts'
import { parseEnvFile } from './env-file.ts'
import type { Setting } from './setting.ts'

/** Where settings are read from when no file is named; what an earlier one says counts. */
export const agentConfigFiles = ['/etc/berth/agent.env', '/etc/ecs/ecs.config'] as const

type Texts = Readonly<Record<string, string | undefined>>

/** What has been said about the agent, and where: flags before the environment, the environment before files. */
export interface AgentConfigSources {
  /** By the flags of `agentSettings`, without dashes. */
  readonly flags: Texts
  readonly environment: Texts
  /** The first file that has a setting counts. */
  readonly files: readonly { readonly path: string; readonly text: string }[]
}

/** The configuration is wrong: every mistake in it, each in a sentence that names the setting and where it was set. */
export class AgentConfigError extends Error {
  readonly mistakes: readonly string[]
  constructor(mistakes: readonly string[]) {
    super(['The agent is not configured well:', ...mistakes.map((mistake) => `  - ${mistake}`)].join('\n'))
    this.name = 'AgentConfigError'
    this.mistakes = mistakes
  }
}

/** The configuration, and in sentences what of it is without effect. */
export interface ReadAgentConfig {
  readonly config: AgentConfig
  readonly warnings: readonly string[]
}

/**
 * Reads the files that there are, and the rest.
 *
 * @throws AgentConfigError with all mistakes at once; an error of the file system for a file that cannot be read.
 */
export async function readAgentConfig(
  flags: Texts,
  environment: Texts,
  paths: readonly string[] = agentConfigFiles,
): Promise<ReadAgentConfig> {
  const files = await Promise.all(paths.map(async (path) => ({ path, text: await textOf(path) })))
  return compileAgentConfig({ flags, environment, files })
}

/** @throws AgentConfigError with all mistakes at once. */
export function compileAgentConfig(sources: AgentConfigSources): ReadAgentConfig {
  const mistakes: string[] = []
  const said = inOrder(sources, mistakes)
  const config: Record<string, unknown> = {}
  for (const [key, setting] of Object.entries<Setting<unknown>>(agentSettings)) {
    const { value, mistake } = readSetting(setting, said)
    config[key] = value
    if (mistake !== undefined) mistakes.push(mistake)
  }
  const { refused, warnings } = notHonoured(said)
  mistakes.push(...refused, ...unknownFlags(sources.flags), ...contradictions(config))
  if (mistakes.length > 0) throw new AgentConfigError(mistakes)
  return { config: Object.freeze(config) as AgentConfig, warnings }
}

/** One place where settings were found. */
interface Said {
  readonly where: string
  readonly isFlags: boolean
  readonly texts: Texts
}

function inOrder(sources: AgentConfigSources, mistakes: string[]): readonly Said[] {
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

const knownNames: ReadonlySet<string> = new Set(
  Object.values<Setting<unknown>>(agentSettings).flatMap(({ names }) => names),
)
const knownFlags: ReadonlySet<string> = new Set(
  Object.values<Setting<unknown>>(agentSettings).flatMap(({ flag }) => flag ?? []),
)
const verdicts = new Map(ecsSettingsNotHonoured.map((entry) => [entry.name, entry]))

/** A value that asks for nothing contradicts nothing. */
const asksForNothing = (text: string): boolean =>
  ['', 'false', '0', 'f', '{}', '[]'].includes(text.trim().toLowerCase())

function notHonoured(said: readonly Said[]): { refused: readonly string[]; warnings: readonly string[] } {
  const refused: string[] = []
  const warnings: string[] = []
  for (const { where, isFlags, texts } of said) {
    for (const [name, text = ''] of isFlags ? [] : Object.entries(texts)) {
      if (knownNames.has(name) || !/^(ECS|BERTH)_/.test(name)) continue
      const entry = verdicts.get(name)
      const sentence = `${name} (from ${where}) is not honoured: ${entry?.why ?? 'the agent knows no such setting'}`
      if (entry?.verdict === 'refuse' && !asksForNothing(text)) refused.push(sentence)
      else if (entry === undefined || !asksForNothing(text)) warnings.push(sentence)
    }
  }
  return { refused, warnings }
}

const unknownFlags = (flags: Texts): readonly string[] =>
  Object.keys(flags)
    .filter((name) => !knownFlags.has(name))
    .map((name) => `--${name}: the agent knows no such option`)

function contradictions(config: Partial<AgentConfig>): readonly string[] {
  const { memoryMib, reservedMemoryMib = 0 } = config
  if (memoryMib === undefined || reservedMemoryMib < memoryMib) return []
  return [`ECS_RESERVED_MEMORY: ${reservedMemoryMib} MiB leave nothing of the ${memoryMib} MiB of BERTH_MEMORY`]
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}
