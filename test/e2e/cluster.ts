import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ECSClient } from '@aws-sdk/client-ecs'
import { hostLabel } from '@berth/agent/runtime/docker/container-labels.ts'
import { dataDirectoryAt } from '@berth/cli/cluster/data-directory.ts'
import { parseRunState, type RunState } from '@berth/cli/cluster/run-state.ts'
import { hostIdsUnder } from '@berth/cli/engine/host-ids.ts'
import Docker from 'dockerode'
import { freePort } from '../docker/docker-under-test.ts'
import { type AwsRunner, awsClis, awsRunner } from './aws-cli.ts'
import { type CommandResult, runCommand, succeeded } from './run-command.ts'

/** A cluster as a user has it: started by `berth up --detach`, with everything it consists of in its own processes. */
export interface Cluster {
  /** The data directory: whatever the cluster writes is under it. */
  readonly root: string
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly region: string
  readonly client: ECSClient
  readonly docker: Docker
  /** One for each `aws` command of the machine. */
  readonly aws: readonly AwsRunner[]
  /** Runs `berth <args>` on the cluster's data directory. @throws when it fails. */
  berth(...args: readonly string[]): Promise<string>
  tryBerth(...args: readonly string[]): Promise<CommandResult>
  /** Who runs, by what `berth up` has written. */
  runState(): RunState
  /** All containers, running or not, that its hosts have made. */
  containers(): Promise<readonly Docker.ContainerInfo[]>
  /** What a process has logged. */
  logOf(process: string): string
  /** The last lines of every process's log, for a failure to show. */
  logTails(lines?: number): string
  /** Runs `berth down`. @throws when a container of the cluster or a process of it remains. */
  stop(): Promise<void>
}

export interface ClusterOptions {
  readonly hosts?: number
  /** CPU units of each host. Tests place more than the share that a small machine has. Default: 4096. */
  readonly cpu?: number
  /** MiB of each host. Default: 4096. */
  readonly memoryMib?: number
  /** Whether everything speaks TLS. Default: no. */
  readonly tls?: boolean
  /** Settings of agents and control plane, as a user's environment has them. */
  readonly environment?: Readonly<Record<string, string>>
}

const launcher = fileURLToPath(new URL('../../berth', import.meta.url))

/** Starts a cluster in a directory of its own, on ports and addresses of its own; `stop` must be called in the end. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { hosts = 3, cpu = 4096, memoryMib = 4096 } = options
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'berth-e2e-')))
  const directory = dataDirectoryAt(root)
  const environment = { ...cleanEnvironment(), ...options.environment }
  const tryBerth = (command: string, ...args: readonly string[]) =>
    runCommand(launcher, [command, ...args, '--data-dir', root], environment)
  const berth = async (...args: readonly string[]) => {
    const [command = '', ...rest] = args
    return succeeded(`berth ${args.join(' ')}`, await tryBerth(command, ...rest))
  }
  const docker = new Docker()
  const size = [
    '--hosts',
    String(hosts),
    '--cpu',
    String(cpu),
    '--memory',
    String(memoryMib),
    ...(options.tls === true ? ['--tls'] : []),
  ]

  const containers = async () => {
    const hostIds = hostIdsUnder(directory.agents)
    const labelled = await docker.listContainers({ all: true, filters: { label: [hostLabel] } })
    return labelled.filter(({ Labels }) => hostIds.has(Labels[hostLabel] ?? ''))
  }
  const stop = async () => {
    try {
      await berth('down')
      const left = (await containers()).map(({ Names }) => Names.join())
      if (left.length > 0) throw new Error(`berth down has left containers: ${left.join(', ')}`)
      const processes = processesOf(root)
      if (processes.length > 0) throw new Error(`berth down has left processes:\n${processes.join('\n')}`)
    } finally {
      rmSync(root, { recursive: true, force: true })
    }
  }

  try {
    // The same port at every start, so that clients find the cluster again.
    await berth('up', '--detach', '--port', String(await freePort()), ...size)
    const variables = exportsOf(await berth('env'))
    const endpoint = variables['AWS_ENDPOINT_URL'] ?? ''
    const accessKeyId = variables['AWS_ACCESS_KEY_ID'] ?? ''
    const secretAccessKey = variables['AWS_SECRET_ACCESS_KEY'] ?? ''
    const region = variables['AWS_DEFAULT_REGION'] ?? ''
    const clis = await awsClis()
    return {
      root,
      endpoint,
      accessKeyId,
      secretAccessKey,
      region,
      client: new ECSClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey }, maxAttempts: 1 }),
      docker,
      aws: clis.map((cli) => awsRunner(cli, { endpoint, variables })),
      berth,
      tryBerth: (...args) => tryBerth(args[0] ?? '', ...args.slice(1)),
      runState: () => parseRunState(directory.run, readFileSync(directory.run, 'utf8')),
      containers,
      logOf: (process) => readFileSync(directory.log(process), 'utf8'),
      logTails: (lines = 15) =>
        readdirSync(directory.logs)
          .map((name) => `--- ${name}\n${tailOf(join(directory.logs, name), lines)}`)
          .join('\n'),
      stop,
    }
  } catch (error) {
    await stop().catch(() => {})
    throw error
  }
}

/** What a user's shell would pass on, without what belongs to another cluster or account. */
const cleanEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(BERTH|AWS|ECS)_/.test(name)))

/** What lines of the form `export NAME=value` set. */
function exportsOf(text: string): Readonly<Record<string, string>> {
  const pairs = [...text.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name = '', word = '']) => [name, unquoted(word)])
  return Object.fromEntries(pairs) as Record<string, string>
}

const unquoted = (word: string): string => word.replace(/^'(.*)'$/, '$1')

const tailOf = (path: string, lines: number): string =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .slice(-lines)
    .map((line) => line.slice(0, 400))
    .join('\n')

/** The command lines of processes whose arguments or environment name the directory. */
function processesOf(root: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      const commandLine = readProc(`/proc/${pid}/cmdline`)
      const environment = readProc(`/proc/${pid}/environ`)
      return (commandLine + environment).includes(root) ? [`${pid} ${commandLine.replaceAll('\0', ' ')}`] : []
    })
}

function readProc(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
