import { parseGoDuration } from '@berth/shared/config/go-duration.ts'
import { type Command, InvalidArgumentError } from 'commander'
import type { DeployInput } from './deploy/deploy.ts'
import type { ProgramParts } from './question-commands.ts'

/** How long `--wait` waits where nothing else is said, in ms: as long as ECS's own waiters. */
const usualTimeoutMs = 10 * 60_000

type DeployOptions = Omit<DeployInput, 'service' | 'timeout'> & {
  readonly dataDir: string
  readonly timeout?: number
}

/** The command that deploys an image. It speaks ECS's API, and asks Berth's own what stands in the way. */
export function addDeployCommand(program: Command, parts: ProgramParts): void {
  const { context, dataDir, directoryOf, examples, setExitCode } = parts
  program
    .command('deploy')
    .description('Deploy an image to a service: register its task definition with it, and update the service.')
    .argument('<service>', 'name or ARN of a service')
    .requiredOption('--image <image>', 'the image, as name:tag, name@digest or id')
    .option('--container <name>', 'whose image it is [the only essential container]')
    .option('--wait', 'follow the deployment to its end; ends with 1 when it fails or is rolled back')
    .option('--timeout <duration>', 'how long to wait at most, such as 90s or 1h [10m]', durationMs)
    .option('--cluster <name>', 'cluster, by name or ARN [default]')
    .addOption(dataDir())
    .option('--json', 'what came of it as JSON, for programs')
    .addHelpText(
      'after',
      examples('berth deploy web --image shop/web:42 --wait', 'berth deploy web --image shop/web:42 --container app'),
    )
    .action(async (service: string, { dataDir: root, timeout = usualTimeoutMs, ...options }: DeployOptions) => {
      const { berthApi, clusterEndpoint } = await import('./ecs/berth-client.ts')
      const { ecsClient } = await import('./ecs/ecs-client.ts')
      const { deploy } = await import('./deploy/deploy.ts')
      const endpoint = clusterEndpoint(directoryOf({ dataDir: root }), context.environment)
      const clients = { ecs: ecsClient(endpoint), berth: ecsClient(endpoint, berthApi) }
      setExitCode(await deploy(clients, { ...options, service, timeout }, context))
    })
}

function durationMs(text: string): number {
  const ms = parseGoDuration(text)
  if (ms !== undefined && ms > 0) return ms
  throw new InvalidArgumentError('It is not a duration such as 90s or 10m.')
}
