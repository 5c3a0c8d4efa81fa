/** An ARN of ECS or of another service that Berth speaks for. */
export type Arn = string

/** Who and where a cell is: the parts that all of its ARNs share. */
export interface ArnScope {
  readonly partition: string
  readonly region: string
  /** Twelve digits. */
  readonly account: string
}

/** `arn:aws:ecs:<region>:<account>:<resource>` */
export const ecsArn = (scope: ArnScope, resource: string): Arn =>
  `arn:${scope.partition}:ecs:${scope.region}:${scope.account}:${resource}`

export const clusterArn = (scope: ArnScope, cluster: string): Arn => ecsArn(scope, `cluster/${cluster}`)
export const taskDefinitionArn = (scope: ArnScope, family: string, revision: number): Arn =>
  ecsArn(scope, `task-definition/${family}:${revision}`)
export const taskArn = (scope: ArnScope, cluster: string, id: string): Arn => ecsArn(scope, `task/${cluster}/${id}`)
export const serviceArn = (scope: ArnScope, cluster: string, name: string): Arn =>
  ecsArn(scope, `service/${cluster}/${name}`)
export const serviceDeploymentArn = (scope: ArnScope, cluster: string, service: string, id: string): Arn =>
  ecsArn(scope, `service-deployment/${cluster}/${service}/${id}`)
export const serviceRevisionArn = (scope: ArnScope, cluster: string, service: string, id: string): Arn =>
  ecsArn(scope, `service-revision/${cluster}/${service}/${id}`)
/** A task set's id is `ecs-svc/<19 digits>`, so that its ARN ends in two parts. */
export const taskSetArn = (scope: ArnScope, cluster: string, service: string, id: string): Arn =>
  ecsArn(scope, `task-set/${cluster}/${service}/${id}`)
export const containerInstanceArn = (scope: ArnScope, cluster: string, id: string): Arn =>
  ecsArn(scope, `container-instance/${cluster}/${id}`)
export const containerArn = (scope: ArnScope, cluster: string, taskId: string, containerUuid: string): Arn =>
  ecsArn(scope, `container/${cluster}/${taskId}/${containerUuid}`)
export const capacityProviderArn = (scope: ArnScope, name: string): Arn => ecsArn(scope, `capacity-provider/${name}`)

/** The parts of an ARN. */
export interface ParsedArn {
  readonly partition: string
  readonly service: string
  readonly region: string
  readonly account: string
  /** Everything after the account, such as `task/default/0123abcd`. */
  readonly resource: string
  /** The resource cut at its slashes. */
  readonly path: readonly string[]
}

/** Takes an ARN apart; `undefined` when `text` is none. */
export function parseArn(text: string): ParsedArn | undefined {
  if (!text.startsWith('arn:')) return undefined
  const partitionEnd = text.indexOf(':', 4)
  const serviceEnd = text.indexOf(':', partitionEnd + 1)
  const regionEnd = text.indexOf(':', serviceEnd + 1)
  const accountEnd = text.indexOf(':', regionEnd + 1)
  const isWhole = partitionEnd > 4 && serviceEnd > partitionEnd + 1 && regionEnd > serviceEnd && accountEnd > regionEnd
  if (!isWhole || accountEnd === text.length - 1) return undefined
  const resource = text.slice(accountEnd + 1)
  return {
    partition: text.slice(4, partitionEnd),
    service: text.slice(partitionEnd + 1, serviceEnd),
    region: text.slice(serviceEnd + 1, regionEnd),
    account: text.slice(regionEnd + 1, accountEnd),
    resource,
    path: resource.split('/'),
  }
}

/** The last part of an ARN's resource, or the text itself when it is no ARN: how ECS takes "short name or full ARN". */
export function shortName(nameOrArn: string): string {
  const arn = parseArn(nameOrArn)
  return arn ? (arn.path.at(-1) ?? nameOrArn) : nameOrArn
}
