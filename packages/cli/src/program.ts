import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { version, versionLine } from '@berth/shared/release.ts'
import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import { type ClusterSettings, defaultClusterSettings } from './cluster/cluster-settings.ts'
import { type DataDirectory, dataDirectoryAt, defaultDataDirectory } from './cluster/data-directory.ts'
import type { CommandContext } from './command-context.ts'
import { shells, type Shell } from './completion/completion-script.ts'
import { addDeployCommand } from './deploy-command.ts'
import { addQuestionCommands } from './question-commands.ts'
import { addTrustCommands } from './trust-commands.ts'
import { mostHosts } from './up/host-address.ts'

/** The command line of `berth`. What a command does is loaded when it is called, so that small ones are quick. */
export function berthProgram(context: CommandContext, setExitCode: (code: number) => void): Command {
  const program = new Command('berth')
    .description('Amazon ECS for the Linux machines you already own.')
    .version(versionLine('berth'), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help, also of a command: berth up --help')
    .helpCommand('help [command]', 'show the help of a command')
    .showHelpAfterError('(see: berth --help)')
    .configureHelp({ sortSubcommands: false })
    .addHelpText(
      'after',
      `
Examples:
  berth up                     run a cluster of three hosts on this machine, until Ctrl-C
  berth up --detach --hosts 5  the same in the background, with five hosts
  eval "$(berth env)"          make the aws command and the AWS SDKs use it
  berth status                 show hosts, services and tasks
  berth deploy my-service --image my-app:2 --wait
                               deploy an image, and follow it to its end
  berth explain my-service     tell why its tasks are where they are, or wait
  berth down                   stop it, and its containers

Programs that a cluster consists of, each with its own --help:
  berth control-plane          answer the API and tell agents what to run, in the foreground
  berth agent                  run tasks on this machine, in the foreground`,
    )

  const directoryOf = (options: { readonly dataDir: string }): DataDirectory =>
    dataDirectoryAt(resolve(options.dataDir))
  const dataDir = () =>
    new Option('--data-dir <directory>', 'where the cluster keeps its state, keys and logs')
      .env('BERTH_DATA_DIR')
      .default(defaultDataDirectory(context.environment, homedir()))

  addUpOptions(program.command('up').description('Start a cluster on this machine: Redis, a control plane and hosts.'))
    .addOption(dataDir())
    .action(async (options: UpOptions) => {
      const { up } = await import('./up/up.ts')
      const directory = directoryOf(options)
      const { detach = false, dataDir: _, ...said } = options
      setExitCode(await up({ directory, said, detach, foregroundArgs: foregroundArgs(directory, said) }, context))
    })

  program
    .command('down')
    .description('Stop the cluster and, unless told otherwise, the containers of its tasks. Its state stays.')
    .addOption(dataDir())
    .option('--keep-tasks', 'leave the containers of tasks running; the next "berth up" takes them back')
    .addHelpText('after', examples('berth down', 'berth down --keep-tasks   # and "berth up" after an upgrade'))
    .action(async (options: { readonly dataDir: string; readonly keepTasks?: boolean }) => {
      const { down } = await import('./down/down.ts')
      setExitCode(await down({ directory: directoryOf(options), keepTasks: options.keepTasks ?? false }, context))
    })

  program
    .command('env')
    .description('Print what makes the AWS clients of a shell use the cluster; fail while it is not up.')
    .addOption(dataDir())
    .addHelpText('after', examples('eval "$(berth env)"', 'berth env --data-dir /srv/berth'))
    .action(async (options: { readonly dataDir: string }) => {
      const { env } = await import('./env/env.ts')
      setExitCode(env(directoryOf(options), context))
    })

  program
    .command('status')
    .description('Show hosts, services and tasks.')
    .addOption(dataDir())
    .option('--json', 'as JSON, for programs')
    .addHelpText('after', examples('berth status', `berth status --json | jq '.hosts[] | select(.connected | not)'`))
    .action(async (options: { readonly dataDir: string; readonly json?: boolean }) => {
      const { status } = await import('./status/status.ts')
      setExitCode(await status({ directory: directoryOf(options), json: options.json ?? false }, context))
    })

  addTrustCommands(program, { context, dataDir, directoryOf, examples, setExitCode })
  addDeployCommand(program, { context, dataDir, directoryOf, examples, setExitCode })
  addQuestionCommands(program, { context, dataDir, directoryOf, examples, setExitCode })

  program
    .command('lab')
    .description('Load-test a control plane with fake hosts: play a scenario, and report with figures and charts.')
    .addOption(saying('--hosts <n>', "hosts to begin with [the scenario's, or 100]", wholeNumber(0, 100_000)))
    .addOption(saying('--cpu <units>', 'CPU units of each [4096]', wholeNumber(128, 2_048_000)))
    .addOption(saying('--memory <mib>', 'MiB of each [16384]', wholeNumber(16, 2 ** 31 - 1)))
    .addOption(saying('--zones <n>', 'availability zones, which hosts are in by turns [3]', wholeNumber(1, 26)))
    .option('--scenario <file>', 'what happens, YAML or JSON [the hosts are filled to four fifths]')
    .addOption(saying('--seed <n>', "chance of this run [the scenario's]", wholeNumber(0, 2 ** 32 - 1)))
    .option('--report <file>', 'where to write the report as a page that needs nothing else')
    .option('--json', 'the report as JSON, with every sample')
    .option('--endpoint <url>', 'API of a control plane that runs already [one is started, with its own Redis]')
    .option('--agent-endpoint <host:port>', 'where agents join that control plane')
    .option('--cluster <name>', 'cluster there, without hosts of its own', 'lab')
    .addHelpText(
      'after',
      examples(
        'berth lab --hosts 1000 --cpu 4096 --memory 16384 --zones 3',
        'berth lab --scenario deploy/lab/zone-loss.yaml --report zone-loss.html',
      ),
    )
    .action(async ({ hosts: count, cpu, memory, zones, ...options }: LabCommandOptions) => {
      const { lab } = await import('./lab/lab.ts')
      const hosts = Object.fromEntries(
        Object.entries({ count, cpu, memory, zones }).filter(([, value]) => value !== undefined),
      )
      setExitCode(await lab({ ...options, hosts, json: options.json ?? false }, context))
    })

  const redisOptions = (command: Command): Command =>
    command
      .addOption(dataDir())
      .addOption(
        new Option(
          '--redis-url <url>',
          "Redis of a cluster that berth up did not start [that of the data directory's]",
        ).env('BERTH_REDIS_URL'),
      )
      .addOption(new Option('--redis-ca <file>', 'certificates that this Redis is known by').env('BERTH_REDIS_CA'))
      .addOption(new Option('--cell <name>', 'name of the cell').env('BERTH_CELL').default('default'))

  redisOptions(program.command('backup').description('Write all that a running cluster remembers into a file.'))
    .argument('[file]', 'where to write it [berth-backup-<time>.gz]')
    .addHelpText('after', examples('berth backup', 'berth backup /var/backups/berth.gz --redis-url redis://10.0.0.5'))
    .action(async (file: string | undefined, { dataDir: root, ...options }: RedisCommandOptions) => {
      const { backup } = await import('./backup/backup.ts')
      const directory = directoryOf({ dataDir: root })
      setExitCode(await backup({ ...options, directory, ...(file !== undefined && { file }) }, context))
    })

  redisOptions(
    program
      .command('restore')
      .description(
        'Put a backup into an empty Redis, before control planes are started on it. Hosts keep what they run.',
      ),
  )
    .argument('<file>', 'what berth backup has written')
    .addHelpText('after', examples('berth restore berth-backup-20261124T050000Z.gz'))
    .action(async (file: string, { dataDir: root, ...options }: RedisCommandOptions) => {
      const { restore } = await import('./backup/backup.ts')
      setExitCode(await restore({ ...options, directory: directoryOf({ dataDir: root }), file }, context))
    })

  program
    .command('version')
    .description('Print the version.')
    .action(() => context.out(version))

  program
    .command('completion')
    .description('Print a script that completes berth in a shell.')
    .addArgument(new Argument('<shell>', 'your shell').choices(shells))
    .addHelpText(
      'after',
      examples('eval "$(berth completion bash)"   # in ~/.bashrc', 'berth completion fish | source'),
    )
    .action(async (shell: Shell) => {
      const { completionScript } = await import('./completion/completion-script.ts')
      context.out(completionScript(program, shell).trimEnd())
    })

  return program
}

type UpOptions = { readonly dataDir: string; readonly detach?: boolean } & Partial<ClusterSettings>

interface LabCommandOptions {
  readonly hosts?: number
  readonly cpu?: number
  readonly memory?: number
  readonly zones?: number
  readonly scenario?: string
  readonly seed?: number
  readonly report?: string
  readonly json?: boolean
  readonly endpoint?: string
  readonly agentEndpoint?: string
  readonly cluster: string
}

const usual = defaultClusterSettings

function addUpOptions(command: Command): Command {
  return command
    .option('-d, --detach', 'return when the endpoint answers and all hosts are registered')
    .addOption(
      saying('--hosts <n>', `hosts, which share this machine [${usual.hosts}]`, wholeNumber(1, mostHosts)).env(
        'BERTH_HOSTS',
      ),
    )
    .addOption(
      saying(
        '--port <port>',
        `port of the endpoint; 0 for any that is free [${usual.port}]`,
        wholeNumber(0, 65_535),
      ).env('BERTH_PORT'),
    )
    .addOption(
      saying('--account <id>', `account id, 12 digits [${usual.account}]`, matching(/^\d{12}$/, '12 digits')).env(
        'BERTH_ACCOUNT',
      ),
    )
    .addOption(
      saying(
        '--region <region>',
        `region [${usual.region}]`,
        matching(/^[a-z]{2,}(-[a-z0-9]+)+$/, 'a region such as eu-west-1'),
      ).env('BERTH_REGION'),
    )
    .addOption(
      saying(
        '--cluster <name>',
        `cluster that the hosts are registered in [${usual.cluster}]`,
        matching(/^[A-Za-z0-9_-]{1,255}$/, 'a name of letters, digits, - and _'),
      ).env('BERTH_CLUSTER'),
    )
    .addOption(
      saying(
        '--zones <zones>',
        `availability zones, which hosts are in by turns [${usual.zones.join(',')}]`,
        zoneList,
      ).env('BERTH_ZONES'),
    )
    .addOption(
      saying('--cpu <units>', 'CPU units of each host, 1024 a core [its share]', wholeNumber(128, 2_048_000)).env(
        'BERTH_CPU',
      ),
    )
    .addOption(
      saying('--memory <mib>', 'MiB of each host [its share of nine tenths]', wholeNumber(16, 2 ** 31 - 1)).env(
        'BERTH_MEMORY',
      ),
    )
    .option('--tls', 'TLS on everything: the API speaks HTTPS, hosts prove themselves by certificates [no]')
    .addOption(
      new Option(
        '--redis-fsync <when>',
        `when a change is on the disk: always before it is acknowledged, or everysec [${usual.redisFsync}]`,
      )
        .choices(['always', 'everysec'])
        .env('BERTH_REDIS_FSYNC'),
    )
    .addOption(
      new Option('--log-level <level>', `what is logged at least [${usual.logLevel}]`)
        .choices(['debug', 'info', 'warn', 'error', 'silent'])
        .env('BERTH_LOG_LEVEL'),
    )
    .addHelpText(
      'after',
      `
Defaults stand in brackets. What you do not say is as it was at the last start with this data directory.
Settings of the agents (ECS_IMAGE_PULL_BEHAVIOR, ...) and of the control plane (BERTH_SETTLE_TIME, ...) are taken
from the environment. Ctrl-C does what "berth down" does.
${examples('berth up', 'berth up --detach --hosts 5 --zones a,b', 'berth up -d --data-dir /srv/berth --port 4600')}`,
    )
}

/** An option without a default of its own, so that what was said can be told from what was not. */
const saying = (flags: string, description: string, parse: (text: string) => unknown): Option =>
  new Option(flags, description).argParser(parse)

const wholeNumber =
  (least: number, most: number) =>
  (text: string): number => {
    const number = /^\d+$/.test(text) ? Number(text) : NaN
    if (number >= least && number <= most) return number
    throw new InvalidArgumentError(`It is not a whole number from ${least} to ${most}.`)
  }

const matching =
  (pattern: RegExp, what: string) =>
  (text: string): string => {
    if (pattern.test(text)) return text
    throw new InvalidArgumentError(`It is not ${what}.`)
  }

function zoneList(text: string): readonly string[] {
  const zones = text.split(',').map((zone) => zone.trim())
  if (zones.every((zone) => /^[a-z0-9-]{1,64}$/.test(zone))) return zones
  throw new InvalidArgumentError('It is not a list such as a,b,c.')
}

/** The command line that runs the same cluster in the foreground: with what was said, from wherever it is run. */
export function foregroundArgs(directory: DataDirectory, said: Partial<ClusterSettings>): readonly string[] {
  const flags = Object.entries(said).flatMap(([name, value]) => [
    `--${name.replaceAll(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`)}`,
    ...(value === true ? [] : [String(value)]),
  ])
  return ['up', '--data-dir', directory.root, ...flags]
}

const examples = (...lines: readonly string[]): string =>
  ['', lines.length === 1 ? 'Example:' : 'Examples:', ...lines.map((line) => `  ${line}`)].join('\n')

interface RedisCommandOptions {
  readonly dataDir: string
  readonly redisUrl?: string
  readonly redisCa?: string
  readonly cell: string
}
