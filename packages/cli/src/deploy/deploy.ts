import { shortName } from '@berth/shared/arn.ts'
import { CliError } from '../cli-error.ts'
import type { CommandContext } from '../command-context.ts'
import type { EcsClient } from '../ecs/ecs-client.ts'
import { type DeployResult, outcomeLines, resultOf } from './deploy-report.ts'
import type { ServiceAnswer } from './deployment-view.ts'
import { followDeployment } from './follow-deployment.ts'
import { type DescribedDefinition, type ImageChange, imageChange, type Tag } from './image-change.ts'
import { blockView, type LiveView, lineView } from './live-view.ts'

export interface DeployInput {
  /** Name or ARN. */
  readonly service: string
  readonly image: string
  readonly container?: string | undefined
  readonly cluster?: string | undefined
  readonly wait?: boolean | undefined
  /** How long to wait for the end, in ms. */
  readonly timeout: number
  readonly json?: boolean | undefined
}

/** The two APIs of a cluster. */
export interface DeployClients {
  readonly ecs: EcsClient
  readonly berth: EcsClient
}

type Out = Pick<CommandContext, 'out' | 'err' | 'clock'>

/**
 * Deploys an image: registers the service's task definition with it, updates the service, and where asked to follows the deployment to
 * its end. Where the container has the image already, the revision that there is is deployed anew.
 *
 * @returns 0 when the deployment was accepted and, where waited for, completed; 1 when it failed, was rolled back or took too long.
 * @throws CliError for what cannot be deployed; EcsError for what the API refuses.
 */
export async function deploy(clients: DeployClients, input: DeployInput, out: Out): Promise<number> {
  const beganAt = out.clock.monotonic()
  const { accepted, change } = await begin(clients.ecs, input)
  const said = changeWords(accepted, change)
  if (input.wait !== true) {
    if (input.json === true) out.out(JSON.stringify(accepted, undefined, 2))
    else out.out(`${said} Its deployment has begun: berth history ${accepted.service} shows it.`)
    return 0
  }
  if (input.json !== true) out.err(said)
  const target = { ...accepted, cluster: input.cluster }
  const progress = await followDeployment(
    target,
    { timeoutMs: input.timeout, beganAt },
    { ...clients, clock: out.clock, live: liveView(out) },
  )
  const outcome = { progress, seconds: (out.clock.monotonic() - beganAt) / 1000 }
  if (input.json === true) out.out(JSON.stringify(resultOf(accepted, outcome), undefined, 2))
  else outcomeLines(accepted, outcome).forEach((line) => (progress.end === 'completed' ? out.out(line) : out.err(line)))
  return progress.end === 'completed' ? 0 : 1
}

interface Begun {
  readonly accepted: DeployResult
  readonly change: ImageChange
}

async function begin(ecs: EcsClient, { service: name, image, container, cluster }: DeployInput): Promise<Begun> {
  const before = await serviceNamed(ecs, cluster, name)
  const previous = before.taskDefinition ?? ''
  const { taskDefinition, tags = [] } = await ecs<{ taskDefinition: DescribedDefinition; tags?: readonly Tag[] }>(
    'DescribeTaskDefinition',
    { taskDefinition: previous, include: ['TAGS'] },
  )
  const change = imageChange(taskDefinition, tags, { image, container })
  const arn = change.registration === undefined ? previous : await registered(ecs, change.registration)
  const { service } = await ecs<{ service: ServiceAnswer }>('UpdateService', {
    cluster,
    service: name,
    taskDefinition: arn,
    ...(arn === previous && { forceNewDeployment: true }),
  })
  const deployment = service.deployments?.find(({ status }) => status === 'PRIMARY')
  if (deployment === undefined) throw new CliError(`The service ${name} was updated, but shows no deployment.`)
  const accepted = {
    service: service.serviceName,
    cluster: shortName(service.clusterArn),
    container: change.container,
    image,
    taskDefinition: arn,
    previousTaskDefinition: previous,
    serviceDeploymentArn:
      service.currentServiceDeployment ?? (await serviceNamed(ecs, cluster, name)).currentServiceDeployment ?? '',
    deploymentId: deployment.id,
    status: 'PENDING',
  }
  return { accepted, change }
}

async function serviceNamed(ecs: EcsClient, cluster: string | undefined, name: string): Promise<ServiceAnswer> {
  const { services } = await ecs<{ services: readonly ServiceAnswer[] }>('DescribeServices', {
    cluster,
    services: [name],
  })
  const [service] = services
  if (service === undefined || service.status === 'INACTIVE')
    throw new CliError(`There is no service ${name} in the cluster ${cluster ?? 'default'}.`)
  if (service.deploymentController?.type === 'EXTERNAL')
    throw new CliError(`The service ${name} is deployed by task sets: CreateTaskSet deploys an image there.`)
  return service
}

async function registered(ecs: EcsClient, registration: object): Promise<string> {
  const { taskDefinition } = await ecs<{ taskDefinition: DescribedDefinition }>('RegisterTaskDefinition', registration)
  return taskDefinition.taskDefinitionArn
}

function changeWords(
  { container, image, taskDefinition, previousTaskDefinition }: DeployResult,
  { before }: ImageChange,
) {
  const revision = shortName(taskDefinition)
  return taskDefinition === previousTaskDefinition
    ? `${revision} has ${image} in ${container} already, and is deployed anew.`
    : `${revision} is ${shortName(previousTaskDefinition)} with ${image} in ${container} (before: ${before}).`
}

function liveView({ err }: Out): LiveView {
  return process.stderr.isTTY ? blockView(err, () => process.stderr.columns) : lineView(err)
}
