import type { Failure, ServiceDeployment, ServiceRevision } from '@aws-sdk/client-ecs'
import { type ArnScope, parseArn } from '@berth/shared/arn.ts'
import type { Transaction } from '../../cell/cell.ts'
import { ofServiceKey, type ServiceDeploymentRecord, serviceKey } from '../../cell/records.ts'
import { isUnfinished, putServiceDeployment, rollbackTarget } from '../../cell/service-deployments.ts'
import { primaryDeployment } from '../../cell/service-changes.ts'
import type { ReadonlyTables } from '../../cell/tables.ts'
import type { ControlPlaneDeps } from '../../control-plane-deps.ts'
import { clientException, conflict, invalidParameter, serviceDeploymentNotFound } from '../errors.ts'
import type { EcsHandlers, EcsInput, EcsOutput } from '../operation.ts'
import { takePage } from '../paging.ts'
import { resolveCluster, resolveService } from './arn-references.ts'
import { serviceDeploymentAnswer, serviceDeploymentBrief, serviceRevisionAnswer } from './service-deployment-json.ts'

/** ECS's own limit of ARNs that one Describe may name. */
const arnsPerDescribe = 20

/** Service deployments, the ways of services from revision to revision, and the revisions. */
export function serviceDeploymentHandlers(
  deps: ControlPlaneDeps,
): Pick<
  EcsHandlers,
  | 'ListServiceDeployments'
  | 'DescribeServiceDeployments'
  | 'DescribeServiceRevisions'
  | 'StopServiceDeployment'
  | 'ContinueServiceDeployment'
> {
  const { scope } = deps
  return {
    ListServiceDeployments: async (input) => deps.cell().read((tables) => listServiceDeployments(tables, scope, input)),

    DescribeServiceDeployments: async ({ serviceDeploymentArns: arns }) => {
      assertSomeArns('serviceDeploymentArns', arns)
      return deps.cell().read((tables) => {
        const found = describe(arns, (arn): ServiceDeployment | undefined => {
          const record = tables.serviceDeployments.get(keyOfArn(scope, 'service-deployment', arn))
          return record && serviceDeploymentAnswer(scope, tables, record)
        })
        return { serviceDeployments: found.answers, failures: found.failures }
      })
    },

    DescribeServiceRevisions: async ({ serviceRevisionArns: arns }) => {
      assertSomeArns('serviceRevisionArns', arns)
      return deps.cell().read((tables) => {
        const found = describe(arns, (arn): ServiceRevision | undefined => {
          const record = tables.serviceRevisions.get(keyOfArn(scope, 'service-revision', arn))
          return record && serviceRevisionAnswer(scope, record)
        })
        return { serviceRevisions: found.answers, failures: found.failures }
      })
    },

    ContinueServiceDeployment: async (input) =>
      deps.cell().transact((tx) => continueServiceDeployment(tx, deps, input)),

    StopServiceDeployment: async (input) => deps.cell().transact((tx) => stopServiceDeployment(tx, deps, input)),
  }
}

/** Newest first, in the order in which they were created. */
function listServiceDeployments(
  tables: ReadonlyTables,
  scope: ArnScope,
  input: EcsInput<'ListServiceDeployments'>,
): EcsOutput<'ListServiceDeployments'> {
  const { name: cluster } = resolveCluster(tables, scope, input.cluster)
  const service = resolveService(tables, scope, cluster, input.service)
  const { before, after } = input.createdAt ?? {}
  const matches = ({ status, createdAt }: ServiceDeploymentRecord): boolean =>
    (!input.status?.length || input.status.includes(status)) &&
    (before === undefined || createdAt < before.getTime()) &&
    (after === undefined || createdAt > after.getTime())
  const keyOf = ({ createdAt, id }: ServiceDeploymentRecord) => `${String(createdAt).padStart(16, '0')} ${id}`
  const sorted = [...tables.serviceDeployments.by('service', serviceKey(cluster, service.name))]
    .filter(matches)
    .sort((a, b) => (keyOf(a) < keyOf(b) ? 1 : -1))
  const { items, nextToken } = takePage('ListServiceDeployments', input, sorted, keyOf, 'DESC')
  return {
    serviceDeployments: items.map((record) => serviceDeploymentBrief(scope, record)),
    ...(nextToken !== undefined && { nextToken }),
  }
}

/** Asks the service's controller to stop a deployment that goes on; it acts at once, and the answer does not wait for it. */
function stopServiceDeployment(
  tx: Transaction,
  { scope, clock }: ControlPlaneDeps,
  { serviceDeploymentArn: arn, stopType = 'ROLLBACK' }: EcsInput<'StopServiceDeployment'>,
): EcsOutput<'StopServiceDeployment'> {
  const record = tx.tables.serviceDeployments.get(keyOfArn(scope, 'service-deployment', arn))
  if (record === undefined) throw serviceDeploymentNotFound()
  if (record.status !== 'PENDING' && record.status !== 'IN_PROGRESS')
    throw conflict(
      isUnfinished(record)
        ? 'The service deployment is being stopped already.'
        : `The service deployment has ended: it is ${record.status}.`,
      [arn],
    )
  const service = tx.tables.services.get(record.service)
  const primary = service && primaryDeployment(service)
  if (stopType === 'ROLLBACK' && (!primary || rollbackTarget(service, primary) === undefined))
    throw clientException(
      'The service deployment cannot be rolled back: no deployment of the service completed before.',
    )
  putServiceDeployment(tx, {
    ...record,
    status: stopType === 'ROLLBACK' ? 'ROLLBACK_REQUESTED' : 'STOP_REQUESTED',
    updatedAt: clock.now(),
  })
  return { serviceDeploymentArn: arn }
}

/** Says how a deployment that waits at a PAUSE hook is to go on; its controller acts at once. */
function continueServiceDeployment(
  tx: Transaction,
  { scope, clock }: ControlPlaneDeps,
  { serviceDeploymentArn: arn, hookId, action = 'CONTINUE' }: EcsInput<'ContinueServiceDeployment'>,
): EcsOutput<'ContinueServiceDeployment'> {
  const record = tx.tables.serviceDeployments.get(keyOfArn(scope, 'service-deployment', arn))
  if (record === undefined) throw serviceDeploymentNotFound()
  if (record.status !== 'IN_PROGRESS')
    throw invalidParameter(`The service deployment is ${record.status}: only one that is IN_PROGRESS can be continued.`)
  const pauses = record.pauses ?? []
  const pause = pauses.find((each) => each.hookId === hookId)
  if (pause === undefined) throw invalidParameter('The service deployment has no lifecycle hook with this hookId.')
  if (pause.status !== 'AWAITING_ACTION')
    throw invalidParameter(`The lifecycle hook is ${pause.status}: it is not awaiting an action.`)
  const status = action === 'CONTINUE' ? 'SUCCEEDED' : 'FAILED'
  putServiceDeployment(tx, {
    ...record,
    pauses: pauses.map((each) => (each === pause ? { ...each, status } : each)),
    ...(action === 'ROLLBACK' && {
      status: 'ROLLBACK_REQUESTED',
      statusReason: 'ECS deployment rolled back at a lifecycle hook.',
    }),
    updatedAt: clock.now(),
  })
  return { serviceDeploymentArn: arn }
}

function assertSomeArns(member: string, arns: readonly string[]): void {
  if (arns.length === 0) throw invalidParameter(`${member} cannot be empty.`)
  if (arns.length > arnsPerDescribe)
    throw invalidParameter(`${member} cannot have more than ${arnsPerDescribe} elements.`)
}

function describe<Answer>(arns: readonly string[], find: (arn: string) => Answer | undefined) {
  const answers: Answer[] = []
  const failures: Failure[] = []
  for (const arn of new Set(arns)) {
    const answer = find(arn)
    if (answer === undefined) failures.push({ arn, reason: 'MISSING' })
    else answers.push(answer)
  }
  return { answers, failures }
}

/** The key that `arn:...:<kind>/<cluster>/<service>/<id>` means. @throws InvalidParameterException for anything else. */
function keyOfArn(scope: ArnScope, kind: 'service-deployment' | 'service-revision', text: string): string {
  const arn = parseArn(text)
  const [resource, cluster, service, id] = arn?.path ?? []
  const ours = arn?.service === 'ecs' && arn.region === scope.region && arn.account === scope.account
  if (!ours || resource !== kind || cluster === undefined || service === undefined || id === undefined)
    throw invalidParameter(`Invalid identifier: ${text} is not the ARN of a ${kind.replace('-', ' ')}.`)
  return ofServiceKey(serviceKey(cluster, service), id)
}
