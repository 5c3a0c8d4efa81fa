import { join } from 'node:path'
import {
  ConfigError,
  readSettingFiles,
  readSettings,
  type Said,
  type SettingSources,
  type Texts,
} from '@berth/shared/config/read-settings.ts'
import type { Setting } from '@berth/shared/config/setting.ts'
import { type AgentConfig, agentSettings } from './agent-settings.ts'
import { ecsSettingsNotHonoured } from './ecs-settings-not-honoured.ts'

/** Where settings are read from when no file is named; what an earlier one says counts. */
export const agentConfigFiles = ['/etc/berth/agent.env', '/etc/ecs/ecs.config'] as const

/** The configuration, and in sentences what of it is without effect. */
export interface ReadAgentConfig {
  readonly config: AgentConfig
  readonly warnings: readonly string[]
}

/**
 * Reads the files that there are, and the rest.
 *
 * @throws ConfigError with all mistakes at once; an error of the file system for a file that cannot be read.
 */
export async function readAgentConfig(
  flags: Texts,
  environment: Texts,
  paths: readonly string[] = agentConfigFiles,
): Promise<ReadAgentConfig> {
  return compileAgentConfig(await readSources(flags, environment, paths))
}

/** Whether anything says where the control plane is. A text that is no address says so, too: the start will tell what is wrong with it. */
export async function namesControlPlane(
  flags: Texts,
  environment: Texts,
  paths: readonly string[] = agentConfigFiles,
): Promise<boolean> {
  const { said } = readSettings({}, await readSources(flags, environment, paths))
  const { names, flag } = agentSettings.servers
  return said.some(({ isFlags, texts }) => (isFlags ? [flag ?? ''] : names).some((name) => Boolean(texts[name])))
}

async function readSources(flags: Texts, environment: Texts, paths: readonly string[]): Promise<SettingSources> {
  const files = await readSettingFiles(paths)
  const said = { flags, environment, files }
  return { ...said, files: [...files, ...(await readSettingFiles([joinedFile(dataDirOf(said))]))] }
}

/** What `berth-agent join` was told, kept for every start; all else counts before it. */
export const joinedFile = (dataDir: string): string => join(dataDir, 'joined.env')

/** Where the agent keeps what it knows; the default for a text that is wrong, which is said elsewhere. */
export const dataDirOf = (sources: SettingSources): string =>
  readSettings({ dataDir: agentSettings.dataDir }, sources).values.dataDir ?? agentSettings.dataDir.default ?? '.'

/** @throws ConfigError with all mistakes at once. */
export function compileAgentConfig(sources: SettingSources): ReadAgentConfig {
  const { values, said, mistakes } = readSettings(agentSettings, sources)
  const { refused, warnings } = notHonoured(said)
  const all = [...mistakes, ...refused, ...contradictions(values)]
  if (all.length > 0) throw new ConfigError('The agent', all)
  return { config: Object.freeze(values) as AgentConfig, warnings }
}

const knownNames: ReadonlySet<string> = new Set(
  Object.values<Setting<unknown>>(agentSettings).flatMap(({ names }) => names),
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

function contradictions(config: Partial<AgentConfig>): readonly string[] {
  const { memoryMib = Infinity, reservedMemoryMib = 0, cpu = Infinity, reservedCpu = 0 } = config
  const wrong: string[] = []
  if (reservedMemoryMib >= memoryMib)
    wrong.push(`ECS_RESERVED_MEMORY: ${reservedMemoryMib} MiB leave nothing of the ${memoryMib} MiB of BERTH_MEMORY`)
  if (reservedCpu >= cpu)
    wrong.push(`BERTH_RESERVED_CPU: ${reservedCpu} units leave nothing of the ${cpu} of BERTH_CPU`)
  if ((config.engineAuthType === undefined) !== (config.engineAuthData === undefined))
    wrong.push('ECS_ENGINE_AUTH_TYPE and ECS_ENGINE_AUTH_DATA: one says nothing without the other')
  return wrong
}
