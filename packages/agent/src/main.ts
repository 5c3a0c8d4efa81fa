import { join } from 'node:path'
import { systemClock } from '@berth/shared/clock.ts'
import { flagsOf } from '@berth/shared/config/flags.ts'
import { answerTo } from '@berth/shared/config/program-questions.ts'
import { ConfigError } from '@berth/shared/config/read-settings.ts'
import { jsonLog, type Log } from '@berth/shared/log.ts'
import { systemRandom } from '@berth/shared/random.ts'
import { agentOptions } from './agent-options.ts'
import { startAgent } from './agent.ts'
import { agentConfigFiles, readAgentConfig } from './config/agent-config.ts'
import { type AgentConfig, agentSettings } from './config/agent-settings.ts'
import { hostDescriber } from './describe-host.ts'
import { dockerRuntimeOptions, engineAddress } from './docker-settings.ts'
import { localAddressTowards } from './host/host-address.ts'
import { keepImagesClean } from './host/image-cleanup.ts'
import { openImageLedger } from './host/image-ledger.ts'
import { openFileJournal } from './journal/file-journal.ts'
import { ensureIdentity } from './journal/host-identity.ts'
import { nodeJournalFs } from './journal/journal-fs.ts'
import type { ContainerRuntime } from './runtime/container-runtime.ts'
import { dockerRuntime } from './runtime/docker/docker-runtime.ts'
import { fakeRuntime } from './runtime/fake/fake-runtime.ts'
import { FakeWorld } from './runtime/fake/fake-world.ts'
import { grpcTransport } from './session/grpc-transport.ts'

/** As ECS's agent: whoever supervises it should not start it again. */
const terminalExitCode = 5

const clock = systemClock
const random = systemRandom()

const program = {
  name: 'berth-agent',
  about: 'Runs the tasks of this host in Docker, as its control plane says.',
  settings: agentSettings,
  files: agentConfigFiles,
}

/** The agent as a process: reads its settings, runs until it is told to stop or its host was deregistered. */
async function main(): Promise<void> {
  const argv = process.argv.slice(2)
  const answer = answerTo(argv, program)
  if (answer !== undefined) return void process.stdout.write(`${answer}\n`)
  const { config, warnings } = await readAgentConfig(flagsOf(argv, agentSettings), process.env)
  const log = jsonLog(config.logLevel, { program: 'agent', pid: process.pid })
  for (const warning of warnings) log.warn(warning)
  const hostAddress = config.hostAddress ?? (await localAddressTowards(config.servers[0] ?? ''))

  const onBroken = (error: Error) => {
    log.error('Ends, so that a new start reads what is on the disk.', { error })
    process.exit(1)
  }
  const path = join(config.dataDir, 'agent.journal')
  const journal = await openFileJournal(nodeJournalFs, { path, onBroken }, log)
  const { hostId } = await ensureIdentity(journal, random)
  const cleaning = new AbortController()
  const runtime = await openRuntime(config, hostId, hostAddress, log, cleaning.signal)
  const agent = startAgent(agentOptions(config, hostAddress), {
    runtime,
    journal,
    transport: grpcTransport({ clock }),
    clock,
    random,
    log,
    describe: hostDescriber(config, hostAddress, runtime, log),
  })
  // The clock's timers and a server that is away leave nothing for the process to live for.
  const alive = setInterval(() => {}, 2 ** 30)

  const stop = async (signal: string): Promise<void> => {
    log.info('stopping', { signal })
    cleaning.abort(new Error('The agent stops.'))
    await agent.stop()
  }
  process.once('SIGTERM', (signal) => void stop(signal))
  process.once('SIGINT', (signal) => void stop(signal))

  const end = await agent.ended
  clearInterval(alive)
  if (end.kind === 'deregistered') await agent.stop()
  process.exitCode = end.kind === 'deregistered' ? terminalExitCode : 0
  // Answers of the engine that nobody waits for any more must not hold the process.
  setTimeout(() => process.exit(), 1000).unref()
}

async function openRuntime(
  config: AgentConfig,
  hostId: string,
  hostAddress: string,
  log: Log,
  signal: AbortSignal,
): Promise<ContainerRuntime> {
  if (config.runtime === 'fake') return fakeRuntime(new FakeWorld({ clock, random }), hostId)
  const ledger = await openImageLedger(join(config.dataDir, 'images.json'), clock)
  const options = dockerRuntimeOptions(config, (imageId, isNew) => ledger.resolved(imageId, isNew))
  const runtime = dockerRuntime({ docker: engineAddress(config), hostId, hostAddress, clock, random, log }, options)
  keepImagesClean({ runtime, ledger, clock, log }, config, signal).catch((error: unknown) => {
    if (!signal.aborted) log.error('Images are not cleaned up any more.', { error })
  })
  return runtime
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof ConfigError ? error.message : String((error as Error).stack)}\n`)
  process.exit(1)
})
