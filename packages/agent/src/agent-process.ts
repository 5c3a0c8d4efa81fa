import { join } from 'node:path'
import type { Clock } from '@berth/shared/clock.ts'
import type { Log } from '@berth/shared/log.ts'
import type { Random } from '@berth/shared/random.ts'
import { endpointSubject, openAgentEndpoints } from './agent-endpoints.ts'
import { agentOptions } from './agent-options.ts'
import { startAgent } from './agent.ts'
import type { AgentConfig } from './config/agent-settings.ts'
import { hostDescriber } from './describe-host.ts'
import { dockerRuntimeOptions, engineAddress } from './docker-settings.ts'
import { localAddressTowards } from './host/host-address.ts'
import { openHostTrust } from './host-trust.ts'
import { keepImagesClean } from './host/image-cleanup.ts'
import { openImageLedger } from './host/image-ledger.ts'
import { type FileJournalOptions, openFileJournal } from './journal/file-journal.ts'
import { ensureIdentity } from './journal/host-identity.ts'
import { type JournalFs, nodeJournalFs } from './journal/journal-fs.ts'
import type { Journal } from './journal/journal.ts'
import type { ContainerRuntime } from './runtime/container-runtime.ts'
import { dockerRuntime } from './runtime/docker/docker-runtime.ts'
import { fakeRuntime } from './runtime/fake/fake-runtime.ts'
import { FakeWorld } from './runtime/fake/fake-world.ts'
import type { SessionTransport } from './session/session-transport.ts'

/** As ECS's agent: whoever supervises it should not start it again. */
const terminalExitCode = 5

/** What an agent's process is made of, and what tests put around its boundaries to disk, engine and control plane. */
export interface AgentSeams {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly journalFs?: JournalFs
  readonly journalOptions?: Omit<FileJournalOptions, 'path'>
  readonly aroundJournal?: (journal: Journal) => Journal
  readonly aroundRuntime?: (runtime: ContainerRuntime) => ContainerRuntime
  readonly aroundTransport?: (transport: SessionTransport) => SessionTransport
}

/** Runs the agent as this process, until it is told to stop or its host was deregistered. */
export async function runAgentProcess(config: AgentConfig, seams: AgentSeams): Promise<void> {
  const { clock, random, log, aroundJournal = asItIs, aroundRuntime = asItIs, aroundTransport = asItIs } = seams
  const hostAddress = config.hostAddress ?? (await localAddressTowards(config.servers[0] ?? ''))

  const onBroken = (error: Error) => {
    log.error('Ends, so that a new start reads what is on the disk.', { error })
    process.exit(1)
  }
  const path = join(config.dataDir, 'agent.journal')
  const journal = aroundJournal(
    await openFileJournal(seams.journalFs ?? nodeJournalFs, { ...seams.journalOptions, path, onBroken }, log),
  )
  const { hostId } = await ensureIdentity(journal, random)
  const cleaning = new AbortController()
  const runtime = aroundRuntime(await openRuntime(config, seams, hostId, hostAddress, cleaning.signal))
  // The clock's timers and a server that is away leave nothing for the process to live for.
  const alive = setInterval(() => {}, 2 ** 30)
  const { transport, ...reach } = await openHostTrust(config, { hostId, clock, random, log, signal: cleaning.signal })
  const endpoints = await openAgentEndpoints(config, { clock, random, log })
  const agent = startAgent(agentOptions({ ...config, ...reach }, hostAddress, endpoints), {
    runtime,
    journal,
    transport: aroundTransport(transport),
    clock,
    random,
    log,
    describe: hostDescriber(config, hostAddress, runtime, log),
  })
  void endpoints?.serve(endpointSubject(config, agent, journal, clock), cleaning.signal)

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
  { clock, random, log }: AgentSeams,
  hostId: string,
  hostAddress: string,
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

/** Nothing stands around a part. */
const asItIs = <Part>(part: Part): Part => part
