import { join } from 'node:path'
import { flagsOf } from '@berth/shared/config/flags.ts'
import { ConfigError, readSettingFiles, type Texts } from '@berth/shared/config/read-settings.ts'
import type { Log } from '@berth/shared/log.ts'
import type { Random } from '@berth/shared/random.ts'
import type { Clock } from '@berth/shared/clock.ts'
import { agentConfigFiles, compileAgentConfig, dataDirOf, joinedFile } from './config/agent-config.ts'
import { agentSettings } from './config/agent-settings.ts'
import { openFileJournal } from './journal/file-journal.ts'
import { ensureIdentity } from './journal/host-identity.ts'
import { nodeJournalFs } from './journal/journal-fs.ts'
import { readHostCertificate, validityOf } from './trust/host-certificate.ts'
import { JoinError } from './trust/join-control-plane.ts'
import { joinHost } from './trust/join-host.ts'
import { replacePrivateFile } from './trust/private-file.ts'

export interface JoinCommandDeps {
  readonly environment: Texts
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly out: (line: string) => void
  /** Where settings are read from beside the command line and the environment. */
  readonly configFiles?: readonly string[]
}

/**
 * `berth-agent join --server https://HOST:PORT --token TOKEN [settings of the agent]`: gets this host its certificate, keeps what it
 * was told for every start of the agent, and ends.
 *
 * @throws JoinError or ConfigError, whose messages are for the person who tries.
 */
export async function joinCommand(argv: readonly string[], deps: JoinCommandDeps): Promise<void> {
  const { environment, clock, random, log, out, configFiles = agentConfigFiles } = deps
  const { server, token = environment['BERTH_TOKEN'], 'data-dir': dataDirFlag, ...flags } = flagsOf(argv, agentSettings)
  if (server === undefined || !token)
    throw new ConfigError('berth-agent join', [
      '--server https://HOST:PORT and --token TOKEN are needed; the token may stand in BERTH_TOKEN instead',
    ])
  // The settings are checked as the agent will check them; where agents are listened for is not known yet.
  compileAgentConfig({ flags: { ...flags, server: 'unknown:1' }, environment: {}, files: [] })
  const dataDir = dataDirOf({
    flags: dataDirFlag === undefined ? {} : { 'data-dir': dataDirFlag },
    environment,
    files: await readSettingFiles(configFiles),
  })
  const before = await readHostCertificate(dataDir)
  if (before && validityOf(before).until > clock.now())
    throw new JoinError(
      `This host has joined cluster ${before.cluster} at ${before.joinedAt}. To join anew, stop the agent and delete ${join(dataDir, 'host-certificate.json')}.`,
    )

  const hostId = await hostIdOf(dataDir, random, log)
  const { cluster } = flags
  const certificate = await joinHost({ server, token, hostId, dataDir, ...(cluster !== undefined && { cluster }) })
  await replacePrivateFile(joinedFile(dataDir), settingsText(flags, certificate))
  out(`Joined cluster ${certificate.cluster} at ${server} as host ${hostId}. Start the agent: it is in within seconds.`)
}

async function hostIdOf(dataDir: string, random: Random, log: Log): Promise<string> {
  const journal = await openFileJournal(nodeJournalFs, { path: join(dataDir, 'agent.journal') }, log)
  try {
    return (await ensureIdentity(journal, random)).hostId
  } finally {
    await journal.close()
  }
}

/** What was said on the command line, as the agent reads it from a file. */
function settingsText(
  flags: Texts,
  { cluster, servers }: { readonly cluster: string; readonly servers: readonly string[] },
): string {
  const nameOf = new Map(
    Object.values(agentSettings).flatMap((setting) =>
      'flag' in setting && setting.flag ? [[setting.flag, setting.names[0]] as const] : [],
    ),
  )
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
