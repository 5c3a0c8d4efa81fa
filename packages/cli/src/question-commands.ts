import { type Command, InvalidArgumentError, Option } from 'commander'
import type { DataDirectory } from './cluster/data-directory.ts'
import type { CommandContext } from './command-context.ts'
import { moreConstraints, moreHosts, moreNames, strategySteps } from './plan/plan-input.ts'
import type { PlanRequest } from './plan/plan.ts'
import type { RebalanceInput } from './rebalance/rebalance.ts'

/** What the commands of one part are added with. */
export interface ProgramParts {
  readonly context: CommandContext
  readonly dataDir: () => Option
  readonly directoryOf: (options: { readonly dataDir: string }) => DataDirectory
  readonly examples: (...lines: readonly string[]) => string
  readonly setExitCode: (code: number) => void
}

interface QuestionOptions {
  readonly dataDir: string
  readonly cluster?: string
  readonly json?: boolean
}

/** The commands that ask a cluster for what ECS has no word for. They change nothing. */
export function addQuestionCommands(program: Command, parts: ProgramParts): void {
  const { context, dataDir, directoryOf, examples, setExitCode } = parts
  const clientOf = async (options: QuestionOptions) => {
    const { berthClient } = await import('./ecs/berth-client.ts')
    return berthClient(directoryOf(options), context.environment)
  }
  const question = (name: string, description: string) =>
    program
      .command(name)
      .description(description)
      .option('--cluster <name>', 'cluster, by name or ARN [default]')
      .addOption(dataDir())
      .option('--json', 'as JSON, for programs')

  question('explain', 'Tell why a task is on its host, or what the tasks of a service wait for.')
    .argument('<task or service>', 'id or ARN of a task, name or ARN of a service')
    .addHelpText('after', examples('berth explain my-service', 'berth explain 0f4c8d3b9b6e4f0e8d8a1c2b3d4e5f60'))
    .action(async (resource: string, options: QuestionOptions) => {
      const { explain } = await import('./explain/explain.ts')
      const request = { resource, cluster: options.cluster, json: options.json ?? false }
      setExitCode(await explain(await clientOf(options), request, context))
    })

  question('plan', 'Show where tasks would go and what would not fit, with hosts added or taken out. Changes nothing.')
    .option('--task-definition <name>', 'what to place: family, family:revision or ARN')
    .option('--count <n>', 'how many of it [1]', wholeCount)
    .addOption(new Option('--launch-type <type>', 'where [the cluster decides]').choices(['EC2', 'FARGATE']))
    .option('--strategy <steps>', 'placement strategy, such as spread:instanceId,binpack:memory', strategySteps)
    .option('--constraint <rule>', 'distinctInstance or memberOf:EXPRESSION; may be repeated', moreConstraints)
    .option('--group <group>', 'task group, as service:NAME for more tasks of a service [family:NAME]')
    .option('--without-host <host>', 'as if this host were gone, by name or id; may be repeated', moreNames)
    .option(
      '--add-host <host>',
      'as if there were another, such as cpu=4096,memory=16384,count=3; may be repeated',
      moreHosts,
    )
    .addHelpText(
      'after',
      `
Ends with 0 when everything would find room, and with 3 when something would not.
${examples(
  'berth plan --task-definition web --count 20',
  'berth plan --task-definition web --count 20 --add-host cpu=4096,memory=16384,zone=us-east-1a,count=2',
  'berth plan --without-host host-1   # would its tasks find room elsewhere?',
)}`,
    )
    .action(async (options: QuestionOptions & PlanRequest) => {
      const { plan } = await import('./plan/plan.ts')
      setExitCode(await plan(await clientOf(options), options, context))
    })

  question(
    'rebalance',
    'Move tasks of services to spread them again, or to empty hosts: the new one is healthy before the old one stops.',
  )
    .option('--dry-run', 'show the moves and what they gain; change nothing')
    .addOption(
      new Option('--goal <goal>', "what for [the cluster's setting berth.rebalancing, or spread]").choices([
        'spread',
        'empty-hosts',
      ]),
    )
    .option('--budget <n>', 'moves at most [100]', wholeCount)
    .addHelpText('after', examples('berth rebalance --dry-run', 'berth rebalance --goal empty-hosts --budget 20'))
    .action(async (options: QuestionOptions & RebalanceInput) => {
      const { rebalance } = await import('./rebalance/rebalance.ts')
      await rebalance(await clientOf(options), options, context)
    })

  question('history', 'Show where the seconds of a task, or of the deployments of a service, went.')
    .argument('<task or service>', 'id or ARN of a task, name or ARN of a service')
    .addHelpText('after', examples('berth history my-service', 'berth history 0f4c8d3b9b6e4f0e8d8a1c2b3d4e5f60'))
    .action(async (resource: string, options: QuestionOptions) => {
      const { history } = await import('./history/history.ts')
      const request = { resource, cluster: options.cluster, json: options.json ?? false }
      setExitCode(await history(await clientOf(options), request, context))
    })
}

function wholeCount(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It is not a whole number.')
}
