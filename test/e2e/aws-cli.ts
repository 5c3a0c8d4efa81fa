import { existsSync, realpathSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type CommandResult, runCommand, succeeded } from './run-command.ts'

/** One `aws` command of this machine. */
export interface AwsCli {
  readonly path: string
  /** 1 or 2: they are different programs. */
  readonly major: number
  /** As `aws-cli/2.9.19`. */
  readonly version: string
}

/** The `aws` commands on the PATH, one of each major version. */
export async function awsClis(): Promise<readonly AwsCli[]> {
  const paths = (process.env['PATH'] ?? '').split(delimiter).map((directory) => join(directory, 'aws'))
  const distinct = new Map(paths.filter(existsSync).map((path) => [realpathSync(path), path]))
  const found: AwsCli[] = []
  for (const path of distinct.values()) {
    const { stdout, stderr } = await runCommand(path, ['--version'], process.env)
    const [, version, major] = /(aws-cli\/(\d+)\S*)/.exec(stdout + stderr) ?? []
    if (version === undefined || found.some((other) => other.major === Number(major))) continue
    found.push({ path, major: Number(major), version })
  }
  return found
}

/** What `berth env` gives an `aws` command to work with. */
export interface AwsEnvironment {
  readonly endpoint: string
  readonly variables: Readonly<Record<string, string>>
}

/** How an `aws` command is called in these tests. */
export interface AwsRunner {
  readonly cli: AwsCli
  /** Runs `aws ecs <command>`; failing is a result as well. The command is split at spaces, `args` follow as they are. */
  run(command: string, ...args: readonly string[]): Promise<CommandResult>
  /** Runs `aws ecs <command>` and returns what it printed, parsed. @throws when it fails. */
  json<Output = Readonly<Record<string, unknown>>>(command: string, ...args: readonly string[]): Promise<Output>
}

/** Older releases of both versions do not know `AWS_ENDPOINT_URL` (1.29.7 and 2.13.0 brought it); they are told by an option. */
export function awsRunner(cli: AwsCli, { endpoint, variables }: AwsEnvironment): AwsRunner {
  const told = knowsEndpointVariable(cli.version) ? [] : ['--endpoint-url', endpoint]
  const environment = {
    PATH: process.env['PATH'],
    HOME: '/nonexistent',
    AWS_PAGER: '',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_DEFAULT_OUTPUT: 'json',
    ...pyenvOf(process.env),
    ...variables,
  }
  const run = (command: string, ...args: readonly string[]) =>
    runCommand(cli.path, ['ecs', ...command.split(' '), ...args, ...told], environment)
  return {
    cli,
    run,
    async json<Output>(command: string, ...args: readonly string[]) {
      const printed = succeeded(`${cli.version} ecs ${[command, ...args].join(' ')}`, await run(command, ...args))
      return (printed.trim() === '' ? {} : JSON.parse(printed)) as Output
    },
  }
}

/** A command that pyenv stands in front of finds its interpreter by these. */
const pyenvOf = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => name.startsWith('PYENV_')))

function knowsEndpointVariable(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.replace('aws-cli/', '').split('.').map(Number)
  return major === 1 ? minor > 29 || (minor === 29 && patch >= 7) : minor >= 13
}
