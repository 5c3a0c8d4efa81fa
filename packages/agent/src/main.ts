import { systemClock } from '@berth/shared/clock.ts'
import { flagsOf } from '@berth/shared/config/flags.ts'
import { answerTo } from '@berth/shared/config/program-questions.ts'
import { ConfigError, misconfiguredExitCode } from '@berth/shared/config/read-settings.ts'
import { jsonLog } from '@berth/shared/log.ts'
import { systemRandom } from '@berth/shared/random.ts'
import { runAgentProcess } from './agent-process.ts'
import { agentConfigFiles, namesControlPlane, readAgentConfig } from './config/agent-config.ts'
import { agentSettings } from './config/agent-settings.ts'
import { installedService } from './installed-service.ts'
import { joinCommand } from './join-command.ts'
import { JoinError } from './trust/join-control-plane.ts'

const program = {
  name: 'berth-agent',
  about: 'Runs the tasks of this host in Docker, as its control plane says.',
  settings: agentSettings,
  files: agentConfigFiles,
  commands: [
    [
      'berth-agent join --server https://HOST:PORT --token TOKEN',
      'get this host its certificate, keep the other options, and start the service [--no-start]',
    ],
    ['berth-agent can-start', 'end with 0 if this host was told of a control plane, else with 1'],
  ],
} as const

/** The agent as a program: answers what is asked of it, or reads its settings and runs. */
async function main(): Promise<void> {
  const argv = process.argv.slice(2)
  const answer = answerTo(argv, program)
  if (answer !== undefined) return void process.stdout.write(`${answer}\n`)
  const seams = { clock: systemClock, random: systemRandom() }
  if (argv[0] === 'join') {
    const out = (line: string) => void process.stdout.write(`${line}\n`)
    const log = jsonLog('warn', { program: 'agent', pid: process.pid })
    return joinCommand(argv.slice(1), { ...seams, environment: process.env, log, out, service: installedService() })
  }
  if (argv[0] === 'can-start') return canStart(argv.slice(1))
  const { 'no-files': noFiles, ...flags } = flagsOf(argv, agentSettings)
  const { config, warnings } = await readAgentConfig(flags, process.env, noFiles === undefined ? program.files : [])
  const log = jsonLog(config.logLevel, { program: 'agent', pid: process.pid })
  for (const warning of warnings) log.warn(warning)
  await runAgentProcess(config, { ...seams, log })
}

async function canStart(argv: readonly string[]): Promise<void> {
  if (await namesControlPlane(flagsOf(argv, agentSettings), process.env)) return
  process.stdout.write(
    'This host has not joined a control plane: berth-agent join --server https://HOST:PORT --token TOKEN\n',
  )
  process.exitCode = 1
}

main().catch((error: unknown) => {
  const isMisconfigured = error instanceof ConfigError || error instanceof JoinError
  process.stderr.write(`${isMisconfigured ? error.message : String((error as Error).stack)}\n`)
  process.exit(isMisconfigured ? misconfiguredExitCode : 1)
})
