import { join } from 'node:path'
import { flagsOf } from '@berth/shared/config/flags.ts'
import { parseEnvFile } from '@berth/shared/config/env-file.ts'
import { ConfigError, readSettingFiles, type SettingSources, type Texts } from '@berth/shared/config/read-settings.ts'
import type { Setting } from '@berth/shared/config/setting.ts'
import type { Log } from '@berth/shared/log.ts'
import type { Random } from '@berth/shared/random.ts'
import type { Clock } from '@berth/shared/clock.ts'
import { agentConfigFiles, compileAgentConfig, dataDirOf, joinedFile } from './config/agent-config.ts'
import { agentSettings } from './config/agent-settings.ts'
import type { InstalledService } from './installed-service.ts'
import { openFileJournal } from './journal/file-journal.ts'
import { ensureIdentity } from './journal/host-identity.ts'
import { nodeJournalFs } from './journal/journal-fs.ts'
import { readHostCertificate, validityOf } from './trust/host-certificate.ts'
import { JoinError } from './trust/join-control-plane.ts'
import { joinHost } from './trust/join-host.ts'
import { replacePrivateFile } from './trust/private-file.ts'

type SettingFile = SettingSources['files'][number]

export interface JoinCommandDeps {
  readonly environment: Texts
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly out: (line: string) => void
  /** Where settings are read from beside the command line and the environment. */
  readonly configFiles?: readonly string[]
  /** What a package has made of the agent here; absent where somebody else starts it. */
  readonly service?: InstalledService | undefined
}

/**
 * `berth-agent join --server https://HOST:PORT --token TOKEN [settings of the agent]`: gets this host its certificate, keeps what it
 * was told for every start of the agent, and ends.
 *
 * @throws JoinError or ConfigError, whose messages are for the person who tries.
 */
export async function joinCommand(argv: readonly string[], deps: JoinCommandDeps): Promise<void> {
  const { environment, clock, random, log, out, configFiles = agentConfigFiles } = deps
  const said = flagsOf(argv, agentSettings)
  const { server, token = environment['BERTH_TOKEN'], 'data-dir': dataDirFlag, 'no-start': noStart, ...flags } = said
  if (server === undefined || !token)
    throw new ConfigError('berth-agent join', [
      '--server https://HOST:PORT and --token TOKEN are needed; the token may stand in BERTH_TOKEN instead',
    ])
  // The settings are checked as the agent will check them; where agents are listened for is not known yet.
  compileAgentConfig({ flags: { ...flags, server: 'unknown:1' }, environment: {}, files: [] })
  const files = await readSettingFiles(configFiles)
  const overruled = overruledFlags(flags, files)
  if (overruled.length > 0) throw new ConfigError('berth-agent join', overruled)
  const dataDir = dataDirOf({
    flags: dataDirFlag === undefined ? {} : { 'data-dir': dataDirFlag },
    environment,
    files,
  })
  const before = await readHostCertificate(dataDir)
  if (before && validityOf(before).until > clock.now())
    throw new JoinError(
      `This host has joined cluster ${before.cluster} at ${before.joinedAt}. To join anew, stop the agent and delete ${join(dataDir, 'host-certificate.json')}.`,
    )

  const hostId = await hostIdOf(dataDir, random, log)
  const cluster = flags['cluster'] ?? saidIn(files, agentSettings.cluster.names)?.text
  const certificate = await joinHost({ server, token, hostId, dataDir, ...(cluster !== undefined && { cluster }) })
  await replacePrivateFile(joinedFile(dataDir), settingsText(flags, certificate))
  out(`Joined cluster ${certificate.cluster} at ${server} as host ${hostId}.`)
  // The service looks where the files say, not where this command line or this shell do.
  const isServices = dataDir === dataDirOf({ flags: {}, environment: {}, files })
  if (deps.service === undefined || noStart !== undefined || !isServices)
    return out('Start the agent: it is in within seconds.')
  await deps.service.start()
  out(`Started ${deps.service.name}: the host is in within seconds.`)
}

/** What is said on the command line and otherwise in files, which count before what is kept: one sentence each. */
function overruledFlags(flags: Texts, files: readonly SettingFile[]): readonly string[] {
  return settings.flatMap(({ flag, names }) => {
    const text = flag === undefined ? undefined : flags[flag]
    const other = saidIn(files, names)
    if (text === undefined || other === undefined || other.text === text) return []
    return [
      `--${flag} ${text}: ${other.path} has ${other.name}=${other.text}, which counts before it. Change it there.`,
    ]
  })
}

/** The first file that has a setting. */
function saidIn(files: readonly SettingFile[], names: readonly string[]) {
  for (const { path, text } of files) {
    const { values } = parseEnvFile(text)
    const name = names.find((each) => values[each])
    if (name !== undefined) return { path, name, text: values[name] ?? '' }
  }
  return undefined
}

async function hostIdOf(dataDir: string, random: Random, log: Log): Promise<string> {
  const journal = await openFileJournal(nodeJournalFs, { path: join(dataDir, 'agent.journal') }, log)
  try {
    return (await ensureIdentity(journal, random)).hostId
  } finally {
    await journal.close()
  }
}

const settings = Object.values<Setting<unknown>>(agentSettings)

/** What was said on the command line, as the agent reads it from a file. */
function settingsText(
  flags: Texts,
  { cluster, servers }: { readonly cluster: string; readonly servers: readonly string[] },
): string {
  const nameOf = new Map(settings.map(({ flag, names }) => [flag, names[0]]))
  const said = Object.entries({ ...flags, cluster, server: servers.join(',') })
  const lines = said.flatMap(([flag, text]) => {
    const name = nameOf.get(flag)
    return name === undefined || text === undefined ? [] : [`${name}=${text}`]
  })
  return [
    '# Written by "berth-agent join". What stands in the files under /etc, or in the environment, counts before it.',
    ...lines,
    '',
  ].join('\n')
}
