import { parseGoDuration } from '@berth/shared/config/go-duration.ts'
import { type Command, InvalidArgumentError, type Option } from 'commander'
import type { DataDirectory } from './cluster/data-directory.ts'
import type { CommandContext } from './command-context.ts'

interface ProgramParts {
  readonly context: CommandContext
  readonly dataDir: () => Option
  readonly directoryOf: (options: { readonly dataDir: string }) => DataDirectory
  readonly examples: (...lines: readonly string[]) => string
  readonly setExitCode: (code: number) => void
}

interface TrustOptions {
  readonly dataDir: string
  readonly caFile?: string
  readonly json?: boolean
}

/** The commands that say who may join and who may sign requests. */
export function addTrustCommands(program: Command, parts: ProgramParts): void {
  const { context, dataDir, directoryOf, examples, setExitCode } = parts
  const clientOf = async ({ caFile, ...options }: TrustOptions) => {
    const { berthClient } = await import('./ecs/berth-client.ts')
    const environment = caFile === undefined ? context.environment : { ...context.environment, AWS_CA_BUNDLE: caFile }
    return berthClient(directoryOf(options), environment)
  }
  const part = (parent: Command, usage: string, description: string) =>
    parent
      .command(usage)
      .description(description)
      .addOption(dataDir())
      .option('--ca-file <file>', 'roots (PEM) that a control plane elsewhere is known by')

  const token = program
    .command('token')
    .description('Make, list and revoke the tokens by which hosts join.')
    .addHelpText(
      'after',
      examples(
        'berth token create --cluster prod --uses 5 --expires 2h',
        'berth token list',
        'berth token revoke 0f4c8d3b9b',
      ),
    )
  part(token, 'create', 'Make a token, and print it.')
    .option('--cluster <name>', 'the cluster that it lets hosts into [default]')
    .option('--uses <n>', 'how many hosts it lets in', wholeNumber, 1)
    .option('--expires <duration>', 'how long it is good for', durationSeconds, 3600)
    .action(
      async (
        options: TrustOptions & { readonly cluster?: string; readonly uses: number; readonly expires: number },
      ) => {
        const { createToken } = await import('./trust/tokens.ts')
        const wanted = { cluster: options.cluster, uses: options.uses, lifetimeSeconds: options.expires }
        setExitCode(await createToken(await clientOf(options), wanted, context))
      },
    )
  part(token, 'list', 'List the tokens, without their secrets.')
    .option('--json', 'as JSON, for programs')
    .action(async (options: TrustOptions) => {
      const { listTokens } = await import('./trust/tokens.ts')
      setExitCode(await listTokens(await clientOf(options), options.json ?? false, context))
    })
  part(token, 'revoke <id>', 'Let nobody in by a token any more.').action(async (id: string, options: TrustOptions) => {
    const { revokeToken } = await import('./trust/tokens.ts')
    setExitCode(await revokeToken(await clientOf(options), id, context))
  })

  const accessKey = program
    .command('access-key')
    .description('Make, list, switch off and delete the keys that sign requests.')
    .addHelpText('after', examples('berth access-key create --name ci', 'berth access-key deactivate AKIA...'))
  part(accessKey, 'create', 'Make a key, and print it.')
    .requiredOption('--name <name>', 'who it is for')
    .action(async (options: TrustOptions & { readonly name: string }) => {
      const { createAccessKey } = await import('./trust/access-keys.ts')
      setExitCode(await createAccessKey(await clientOf(options), options.name, context))
    })
  part(accessKey, 'list', 'List the keys, without their secrets.')
    .option('--json', 'as JSON, for programs')
    .action(async (options: TrustOptions) => {
      const { listAccessKeys } = await import('./trust/access-keys.ts')
      setExitCode(await listAccessKeys(await clientOf(options), options.json ?? false, context))
    })
  for (const [name, status, description] of [
    ['deactivate', 'INACTIVE', 'Refuse what a key signs, until it is activated again.'],
    ['activate', 'ACTIVE', 'Take again what a key signs.'],
  ] as const)
    part(accessKey, `${name} <id>`, description).action(async (id: string, options: TrustOptions) => {
      const { setAccessKeyStatus } = await import('./trust/access-keys.ts')
      setExitCode(await setAccessKeyStatus(await clientOf(options), id, status, context))
    })
  part(accessKey, 'delete <id>', 'Delete a key for good.').action(async (id: string, options: TrustOptions) => {
    const { deleteAccessKey } = await import('./trust/access-keys.ts')
    setExitCode(await deleteAccessKey(await clientOf(options), id, context))
  })

  const ca = program
    .command('ca')
    .description('Show and rotate the roots that hosts and clients know the control plane by.')
    .addHelpText('after', examples('berth ca show > berth-ca.pem', 'berth ca rotate --overlap 720h > berth-ca.pem'))
  part(ca, 'show', 'Print the roots in PEM.').action(async (options: TrustOptions) => {
    const { showCa } = await import('./trust/ca.ts')
    setExitCode(await showCa(await clientOf(options), context))
  })
  part(ca, 'rotate', 'Sign by a new root from now on.')
    .option('--overlap <duration>', 'how long the old one is trusted beside it', durationSeconds, 30 * 24 * 3600)
    .action(async (options: TrustOptions & { readonly overlap: number }) => {
      const { rotateCa } = await import('./trust/ca.ts')
      setExitCode(await rotateCa(await clientOf(options), options.overlap, context))
    })

  const secretKey = program
    .command('secret-key')
    .description('Exchange the key that seals what is secret in Redis.')
    .addHelpText('after', examples('berth secret-key reseal'))
  part(secretKey, 'reseal', 'Seal everything anew, by the first key of the file.').action(
    async (options: TrustOptions) => {
      const { resealSecrets } = await import('./trust/secret-key.ts')
      setExitCode(await resealSecrets(await clientOf(options), context))
    },
  )
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It is not a whole number from 1.')
}

function durationSeconds(text: string): number {
  const ms = parseGoDuration(text)
  if (ms !== undefined && ms >= 1000) return Math.floor(ms / 1000)
  throw new InvalidArgumentError('It is not a duration such as 30m or 24h.')
}
