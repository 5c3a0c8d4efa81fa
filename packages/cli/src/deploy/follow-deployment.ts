import type { ExplainServiceAnswer } from '@berth/control-plane/api/berth/explain-service.ts'
import { type Clock, sleep } from '@berth/shared/clock.ts'
import { CliError } from '../cli-error.ts'
import { counted } from '../counted.ts'
import { type EcsClient, EcsError, UnreachableError } from '../ecs/ecs-client.ts'
import { explanationLines } from '../explain/explain-report.ts'
import {
  type DeploymentView,
  deploymentView,
  type ServiceAnswer,
  type ServiceDeploymentAnswer,
} from './deployment-view.ts'
import { failedTasks } from './failed-tasks.ts'
import type { LiveView } from './live-view.ts'
import type { DeploymentProgress } from './progress-lines.ts'

/** A deployment that was accepted. */
export interface DeploymentTarget {
  readonly cluster: string | undefined
  readonly service: string
  /** ARN of the service deployment. */
  readonly serviceDeploymentArn: string
  readonly deploymentId: string
  /** ARN of what it deploys. */
  readonly taskDefinition: string
}

export interface FollowDeps {
  readonly ecs: EcsClient
  /** Berth's own API, asked for what stands in the way of tasks that find no room. */
  readonly berth: EcsClient
  readonly clock: Clock
  readonly live: LiveView
}

/** How often a deployment is looked at, in ms: two small questions, which cost the control plane about a millisecond. */
const lookEveryMs = 250
/** A deployment that lacks tasks and does not move for so long is asked what they wait for, in ms. */
const explainAfterMs = 1000

/**
 * Follows a deployment to its end, and says how it then stood; one that has not ended when the time is over is left to go on. A control
 * plane that is away, as while another one takes over, is asked again.
 *
 * @throws EcsError for what will not be better the next time, as when the service is gone.
 */
export async function followDeployment(
  target: DeploymentTarget,
  { timeoutMs, beganAt }: { readonly timeoutMs: number; readonly beganAt: number },
  { ecs, berth, clock, live }: FollowDeps,
): Promise<DeploymentProgress> {
  const asked = askedBesides(target, { ecs, berth, clock })
  let progress: DeploymentProgress | undefined
  for (;;) {
    const view = await unlessAway(() => look(ecs, target))
    if (view !== undefined) progress = { ...view, ...(await asked(progress, view)), away: false }
    else if (progress !== undefined) progress = { ...progress, away: true }
    const elapsedMs = clock.monotonic() - beganAt
    if (progress !== undefined) live.show(progress, elapsedMs)
    if (progress?.end !== undefined) return progress
    if (elapsedMs >= timeoutMs) return progress ?? nobodyAnswers()
    await sleep(clock, lookEveryMs)
  }
}

function nobodyAnswers(): never {
  throw new CliError('The API does not answer.')
}

/** Asks for what a look does not show, and only where it says that there is something to ask for. */
function askedBesides(target: DeploymentTarget, { ecs, berth, clock }: Omit<FollowDeps, 'live'>) {
  let movedAt = clock.monotonic()
  let explainedAt = movedAt
  return async (
    before: DeploymentProgress | undefined,
    now: DeploymentView,
  ): Promise<Pick<DeploymentProgress, 'failed' | 'noRoom'>> => {
    const time = clock.monotonic()
    if (before === undefined || !standsStill(before, now)) movedAt = time
    const { failed: known = [], noRoom: lacked = [] } = before ?? {}
    const failed = mayHaveFailed(before, now) ? await unlessAway(() => failedTasks(ecs, target)) : undefined
    if (!lacksTasks(now)) return { failed: failed ?? known, noRoom: [] }
    if (time - Math.max(movedAt, explainedAt) < explainAfterMs) return { failed: failed ?? known, noRoom: lacked }
    explainedAt = time
    return { failed: failed ?? known, noRoom: await lackOfRoom(berth, target) }
  }
}

async function look(ecs: EcsClient, target: DeploymentTarget): Promise<DeploymentView> {
  const { cluster, service, serviceDeploymentArn } = target
  // In this order, so that an end is shown with the counts that it came with or later ones.
  const { serviceDeployments } = await ecs<{ serviceDeployments: readonly ServiceDeploymentAnswer[] }>(
    'DescribeServiceDeployments',
    { serviceDeploymentArns: [serviceDeploymentArn] },
  )
  const { services } = await ecs<{ services: readonly ServiceAnswer[] }>('DescribeServices', {
    cluster,
    services: [service],
  })
  const [found] = services
  const [deployment] = serviceDeployments
  if (found === undefined || deployment === undefined)
    throw new CliError(`The deployment of ${service} is not there any more.`)
  return deploymentView(found, deployment, target)
}

const standsStill = (before: DeploymentView, now: DeploymentView): boolean =>
  JSON.stringify([before.target, before.others, before.status]) === JSON.stringify([now.target, now.others, now.status])

/** The count goes down when one task comes to run: what was told of before is told of no more, and a count that went up is. */
const mayHaveFailed = (before: DeploymentProgress | undefined, now: DeploymentView): boolean =>
  now.failures.count > 0 && (now.failures.count !== before?.failures.count || now.end !== undefined)

const lacksTasks = ({ target, end, rollback }: DeploymentView): boolean =>
  end === undefined && rollback === undefined && target.running + target.pending < target.wanted

/** Which hosts come closest and what each lacks, where tasks find no room now. Amazon's ECS has no such question: then nothing. */
async function lackOfRoom(berth: EcsClient, { cluster, service }: DeploymentTarget): Promise<readonly string[]> {
  try {
    const { waiting, explanation } = await berth<ExplainServiceAnswer>('ExplainService', { cluster, service })
    const room = waiting.find((each) => each.kind === 'room')
    if (room === undefined) return []
    const words = `${counted(room.tasks, 'task')} ${room.tasks === 1 ? 'waits' : 'wait'} for room.`
    return [words, ...(explanation === undefined ? [] : explanationLines(explanation))]
  } catch (error) {
    if (error instanceof CliError) return []
    throw error
  }
}

/** Errors of a control plane, or of a balancer before it, that is not there for the moment. */
const passes = /^(ServerException|ThrottlingException|status 5\d\d)$/

/** What was answered; nothing where nobody answered, or a control plane that could not at the moment. */
async function unlessAway<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof UnreachableError || (error instanceof EcsError && passes.test(error.type))) return undefined
    throw error
  }
}
