import type * as ecs from '@aws-sdk/client-ecs'
import type { TaskAssignment } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import type { DesiredTaskStatus, ContainerStatus, TaskStatus } from '@berth/shared/task-status.ts'
import type { CustomResources } from './custom-resources.ts'
import type { PlacementSummary } from './placement-summary.ts'

/**
 * What a cell knows: one record type a table. Records are plain JSON and never changed in place: a change puts a new
 * object. Times are ms since the epoch. Absent members are absent, never null.
 */

/** The one empty list of all records that have one: a task has five, and there may be a million tasks. */
export const emptyList: readonly never[] = []

export type TagRecord = Readonly<Record<string, string>>

export interface ClusterRecord {
  readonly name: string
  readonly arn: string
  readonly status: 'ACTIVE' | 'INACTIVE'
  readonly settings: readonly { readonly name: string; readonly value: string }[]
  readonly configuration?: ecs.ClusterConfiguration
  readonly serviceConnectDefaults?: { readonly namespace: string }
  readonly capacityProviders: readonly string[]
  readonly defaultCapacityProviderStrategy: readonly ecs.CapacityProviderStrategyItem[]
  readonly tags: TagRecord
  readonly createdAt: number
  readonly rebalanceRequest?: RebalanceRequest
}

/** The highest revision that a family ever had, which is never given out again. */
export interface FamilyRecord {
  readonly family: string
  readonly latestRevision: number
}

export interface TaskDefinitionRecord {
  readonly arn: string
  readonly family: string
  readonly revision: number
  readonly status: 'ACTIVE' | 'INACTIVE' | 'DELETE_IN_PROGRESS'
  /** The definition as Describe answers it, with ECS's defaults filled in and without the members that stand beside it here. */
  readonly definition: Omit<
    ecs.TaskDefinition,
    'registeredAt' | 'deregisteredAt' | 'deleteRequestedAt' | 'status' | 'revision' | 'taskDefinitionArn'
  >
  readonly registeredAt: number
  readonly registeredBy: string
  readonly deregisteredAt?: number
  readonly deleteRequestedAt?: number
  readonly tags: TagRecord
}

/** A host port that the cell has granted to a container. */
export interface PortGrant {
  readonly containerPort: number
  /** 0 where nothing is bound on the host (awsvpc, none). */
  readonly hostPort: number
  readonly protocol: 'tcp' | 'udp'
  readonly name?: string
}

export interface TaskContainerRecord {
  /** The last part of its ARN, a UUID: the ARN is put together where it is asked for, since there may be a million of them. */
  readonly id: string
  readonly name: string
  readonly image: string
  readonly imageDigest?: string
  readonly runtimeId?: string
  readonly essential: boolean
  readonly lastStatus: ContainerStatus
  readonly exitCode?: number
  readonly reason?: string
  readonly healthStatus: 'HEALTHY' | 'UNHEALTHY' | 'UNKNOWN'
  /** Whether the definition has a health check: only then does ECS count it. */
  readonly hasHealthCheck: boolean
  readonly portGrants: readonly PortGrant[]
  /** What the host says is bound. */
  readonly networkBindings: readonly { bindIP: string; containerPort: number; hostPort: number; protocol: string }[]
  readonly cpu: number
  readonly memory?: number
  readonly memoryReservation?: number
  readonly gpuIds: readonly string[]
  readonly restartCount: number
}

export interface NetworkInterfaceRecord {
  /** Id of the attachment. */
  readonly attachmentId: string
  readonly networkInterfaceId: string
  readonly subnetId: string
  readonly securityGroups: readonly string[]
  readonly assignPublicIp: boolean
  readonly status: 'PRECREATED' | 'ATTACHING' | 'ATTACHED' | 'DETACHING' | 'DETACHED' | 'DELETED'
  readonly privateIpv4?: string
  readonly macAddress?: string
}

/** What a task takes of its host, fixed when it was placed. */
export interface ClaimRecord {
  readonly cpu: number
  readonly memoryMib: number
  readonly gpus: number
  readonly networkInterfaces: number
  /** Absent where it takes none. */
  readonly custom?: CustomResources
  /** Host ports that the definition names. */
  readonly ports: readonly { readonly port: number; readonly protocol: 'tcp' | 'udp' }[]
  /** Host ports that were picked for it, each held in both protocols. */
  readonly dynamicPorts: readonly number[]
}

/** How a task waits for room, or waited. */
export interface TaskQueueRecord {
  /** Higher goes first. */
  readonly priority: number
  /** The tasks of the same gang start together. */
  readonly gang?: string
  /** When it is given up if it has not started, in ms since the epoch. */
  readonly until?: number
  /** What it was asked for with beside its definition, as long as it waits: all else that its launch needs is in its record. */
  readonly placementConstraints?: readonly ecs.PlacementConstraint[]
  readonly placementStrategy?: readonly ecs.PlacementStrategy[]
  /** Whether one of its constraints looks at the tasks of a host, so that a task which starts may make room for it. */
  readonly looksAtTasks?: true
}

/** Why a task of a service is moved: to even out its zones, to even out its other spreads, or to empty its host. */
export type MoveReason = 'zones' | 'spread' | 'empty-hosts'

/** A task's part in a move: it was started to take the place of another, which stops once it is healthy. */
export interface TaskMove {
  /** Id of the task whose place it takes. */
  readonly replaces: string
  readonly reason: MoveReason
  /** How it ended; absent while it is under way. `kept`: the new task stays, and not in the place of the old one. */
  readonly outcome?: 'moved' | 'given-up' | 'called-off' | 'kept'
}

export interface TaskRecord {
  /** 32 hex digits, the key, and the last part of its ARN: see `TaskContainerRecord`. */
  readonly id: string
  readonly cluster: string
  readonly taskDefinitionArn: string
  readonly family: string
  readonly revision: number
  readonly group: string
  readonly startedBy?: string
  readonly serviceName?: string
  readonly deploymentId?: string
  readonly launchType: 'EC2' | 'FARGATE' | 'EXTERNAL'
  readonly capacityProviderName?: string
  readonly platformVersion?: string
  /** The container instance's id. A task that was given a host stays there for ever. */
  readonly hostId?: string
  readonly availabilityZone?: string
  readonly claim: ClaimRecord
  readonly lastStatus: TaskStatus
  readonly desiredStatus: DesiredTaskStatus
  readonly stopCode?: ecs.TaskStopCode
  readonly stoppedReason?: string
  readonly connectivity: 'CONNECTED' | 'DISCONNECTED'
  readonly connectivityAt?: number
  readonly containers: readonly TaskContainerRecord[]
  readonly networkInterface?: NetworkInterfaceRecord
  readonly overrides: ecs.TaskOverride
  readonly cpu?: string
  readonly memory?: string
  readonly ephemeralStorageGib?: number
  readonly enableExecuteCommand: boolean
  readonly tags: TagRecord
  readonly version: number
  readonly createdAt: number
  /** Present if it was written before there was room for it. */
  readonly queue?: TaskQueueRecord
  /** When a task that waited was given its host. Others have one from the beginning. */
  readonly placedAt?: number
  /** When its host said that it prepares what the task needs before images are pulled, such as its network. */
  readonly activatingAt?: number
  readonly pullStartedAt?: number
  readonly pullStoppedAt?: number
  readonly startedAt?: number
  /** When its service first counted it as healthy. A task that ends by itself before that has failed its deployment. */
  readonly healthyAt?: number
  /** When its service first saw its health check fail, which counts once for the deployment. */
  readonly unhealthyAt?: number
  /** Until when scale-in and deployments leave it alone. */
  readonly protectedUntil?: number
  readonly stoppingAt?: number
  /** When its host said that some of its containers had ended. */
  readonly deactivatingAt?: number
  readonly executionStoppedAt?: number
  /** When its host said that all that was left was to clean up. */
  readonly deprovisioningAt?: number
  readonly stoppedAt?: number
  /** Whether its service has taken note of its end, which counts once for the deployment. */
  readonly endNoticed?: true
  /** Why the task is where it is. */
  readonly placement?: PlacementSummary
  readonly move?: TaskMove
  /** What its host was told, where the cell has lost the definition that it was made from. */
  readonly handedBack?: TaskAssignment
}

/** That the store went back to what it was before: noticed by what hosts hold, or by what a leader had left there. */
export interface StoreReturnRecord {
  readonly noticedAt: number
  readonly reason: string
  /** Until when nothing is replaced or stopped by itself. */
  readonly quarantinedUntil: number
  /** Tasks that hosts ran and the cell did not know. */
  readonly adoptedTasks: number
}

export interface HostAttributeRecord {
  readonly name: string
  readonly value?: string
  /** Whether the agent reported it; those cannot be deleted through the API. */
  readonly fromAgent: boolean
}

/** A container instance. Called a host wherever the machine is meant. */
export interface HostRecord {
  /** The container instance's id, 32 hex digits: the key. */
  readonly id: string
  readonly arn: string
  readonly cluster: string
  /** What the host calls itself for life. */
  readonly agentHostId: string
  readonly ec2InstanceId: string
  readonly status: 'REGISTERING' | 'ACTIVE' | 'DRAINING' | 'DEREGISTERING' | 'INACTIVE'
  readonly agentConnected: boolean
  /** When it was last known to go from connected to not; the start of host loss. */
  readonly disconnectedAt?: number
  /** Whether its tasks were given up since it was last connected. */
  readonly lost: boolean
  readonly engineHealthy: boolean
  readonly offersFargate: boolean
  readonly agentVersion: string
  readonly agentHash: string
  readonly dockerVersion: string
  readonly address: string
  readonly cpu: number
  readonly memoryMib: number
  readonly gpuIds: readonly string[]
  readonly networkInterfaces: number
  /** Absent from a host that registered before there were any. */
  readonly custom?: CustomResources
  readonly reservedTcpPorts: readonly number[]
  readonly reservedUdpPorts: readonly number[]
  readonly dynamicPorts: { readonly first: number; readonly last: number }
  readonly attributes: readonly HostAttributeRecord[]
  readonly tags: TagRecord
  readonly registeredAt: number
  readonly version: number
}

/** What a deployment went through: a state and when, in ms since the epoch. */
export type DeploymentStep = readonly [state: DeploymentState, at: number]

/** `REPLACED`: another one became PRIMARY. `RETURNED`: a rollback made it PRIMARY again. */
export type DeploymentState = 'IN_PROGRESS' | 'COMPLETED' | 'FAILED' | 'REPLACED' | 'RETURNED'

/** A deployment that is not listed any more. */
export interface PastDeployment {
  readonly id: string
  readonly taskDefinitionArn: string
  readonly desiredCount: number
  readonly createdAt: number
  readonly rolloutStateReason: string
  readonly steps: readonly DeploymentStep[]
}

export interface DeploymentRecord {
  /** `ecs-svc/<19 digits>` */
  readonly id: string
  readonly status: 'PRIMARY' | 'ACTIVE' | 'INACTIVE'
  readonly taskDefinitionArn: string
  readonly desiredCount: number
  readonly launchType: 'EC2' | 'FARGATE' | 'EXTERNAL'
  readonly capacityProviderStrategy: readonly ecs.CapacityProviderStrategyItem[]
  readonly platformVersion?: string
  readonly networkConfiguration?: ecs.NetworkConfiguration
  readonly createdAt: number
  readonly updatedAt: number
  readonly rolloutState: 'IN_PROGRESS' | 'COMPLETED' | 'FAILED'
  readonly rolloutStateReason: string
  /** Consecutive failures; 0 again once a task runs. */
  readonly failedTasks: number
  /** What the circuit breaker counts: tasks that ended before they were healthy, or failed their health check. Absent for none. */
  readonly breakerFailures?: number
  /** When it had first got where its bake time begins. */
  readonly bakingSince?: number
  /** Restart throttle: no new task of this deployment before this time. */
  readonly notBefore?: number
  /** How many times in a row the throttle has grown. */
  readonly throttleSteps: number
  /** What became of it after it was created, for its history. */
  readonly steps?: readonly DeploymentStep[]
}

export interface ServiceRecord {
  readonly name: string
  readonly cluster: string
  readonly arn: string
  readonly status: 'ACTIVE' | 'DRAINING' | 'INACTIVE'
  readonly schedulingStrategy: 'REPLICA' | 'DAEMON'
  readonly desiredCount: number
  /** Absent where an external controller deploys it and it has no primary task set. */
  readonly taskDefinitionArn?: string
  readonly launchType?: 'EC2' | 'FARGATE' | 'EXTERNAL'
  readonly capacityProviderStrategy: readonly ecs.CapacityProviderStrategyItem[]
  readonly platformVersion?: string
  /** `EXTERNAL`: it has task sets and no deployments. */
  readonly deploymentController: 'ECS' | 'EXTERNAL'
  /** With ECS's defaults filled in, as Describe answers it. */
  readonly deploymentConfiguration: ecs.DeploymentConfiguration
  readonly placementConstraints: readonly ecs.PlacementConstraint[]
  readonly placementStrategy: readonly ecs.PlacementStrategy[]
  readonly networkConfiguration?: ecs.NetworkConfiguration
  readonly healthCheckGracePeriodSeconds?: number
  readonly availabilityZoneRebalancing: 'ENABLED' | 'DISABLED'
  readonly enableECSManagedTags: boolean
  readonly enableExecuteCommand: boolean
  readonly propagateTags: 'NONE' | 'SERVICE' | 'TASK_DEFINITION'
  readonly role?: string
  readonly deployments: readonly DeploymentRecord[]
  /** The last one whose rollout completed, as it was then: where a rollback goes. */
  readonly lastCompletedDeployment?: DeploymentRecord
  /** Those that are not listed any more, newest first, as many as `keptPastDeployments`. */
  readonly pastDeployments?: readonly PastDeployment[]
  readonly tags: TagRecord
  readonly createdAt: number
  readonly createdBy: string
  readonly clientToken?: string
  /** Id of the newest service deployment. Absent where the service is older than these. */
  readonly currentServiceDeployment?: string
  readonly steady: boolean
  readonly rebalancing?: ServiceRebalancing
  /** When the last "unable to place" event of each text was written, so that equal ones are left out for 6 h. */
  readonly placementFailure?: { readonly message: string; readonly at: number }
}

/** A share of the tasks of a service that an external controller deploys: those of one task definition. */
export interface TaskSetRecord {
  /** `ecs-svc/<19 digits>`: what its tasks have as `startedBy` and as their deployment. */
  readonly id: string
  readonly arn: string
  /** `<cluster>/<service>` */
  readonly service: string
  /** `DRAINING`: its tasks are stopped, and it is gone when they are. */
  readonly status: 'PRIMARY' | 'ACTIVE' | 'DRAINING'
  readonly taskDefinitionArn: string
  readonly launchType: 'EC2' | 'FARGATE' | 'EXTERNAL'
  readonly capacityProviderStrategy: readonly ecs.CapacityProviderStrategyItem[]
  readonly platformVersion?: string
  readonly networkConfiguration?: ecs.NetworkConfiguration
  readonly externalId?: string
  /** How many of the service's tasks it is to have, in percent of the service's desired count. */
  readonly scalePercent: number
  /** Whether all of its tasks run and are healthy, as it was last looked at, and since when. */
  readonly stable: boolean
  readonly stabilityAt: number
  /** Consecutive failures; 0 again once a task runs. */
  readonly failedTasks: number
  /** Restart throttle: no new task of this set before this time. */
  readonly notBefore?: number
  /** How many times in a row the throttle has grown. */
  readonly throttleSteps: number
  /** What last stood in its way, so that equal complaints are left out for 6 h. */
  readonly placementFailure?: { readonly message: string; readonly at: number }
  readonly tags: TagRecord
  readonly createdAt: number
  readonly updatedAt: number
}

/** What a service remembers of moves of its tasks. */
export interface ServiceRebalancing {
  /** Whether its events say that its zones are uneven, and not yet that they are even again. */
  readonly zonesUneven?: true
  /** Moves in a row whose new task failed. */
  readonly failures?: number
  /** No new move before this time. */
  readonly notBefore?: number
}

/** Moves that somebody asked for once, beside what the cluster's settings have moved. */
export interface RebalanceRequest {
  readonly goal: 'spread' | 'empty-hosts'
  /** How many moves may still begin. */
  readonly moves: number
  readonly requestedAt: number
}

/** What a deployment's tasks are made from, kept after the deployment: a service revision. */
export interface ServiceRevisionRecord {
  /** 19 digits: those of the deployment's id. */
  readonly id: string
  /** `<cluster>/<service>` */
  readonly service: string
  readonly taskDefinitionArn: string
  readonly launchType: 'EC2' | 'FARGATE' | 'EXTERNAL'
  readonly capacityProviderStrategy: readonly ecs.CapacityProviderStrategyItem[]
  readonly platformVersion?: string
  readonly networkConfiguration?: ecs.NetworkConfiguration
  /** The digest is that which the first task of the revision ran, and all later ones run; absent before, and where it is not to be kept. */
  readonly containerImages: readonly {
    readonly containerName: string
    readonly image: string
    readonly imageDigest?: string
  }[]
  readonly createdAt: number
}

/** A stop of a service deployment at a PAUSE hook. */
export interface PauseRecord {
  /** `ecs-pause-<43 characters>` */
  readonly hookId: string
  readonly stage: ecs.ServiceDeploymentLifecycleStage
  readonly status: 'AWAITING_ACTION' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT'
  /** When `timeoutAction` is taken unless somebody said before how to go on. */
  readonly expiresAt: number
  readonly timeoutAction: 'CONTINUE' | 'ROLLBACK'
}

/** A service on its way from some revisions to another, and how that ended. */
export interface ServiceDeploymentRecord {
  /** 21 characters. */
  readonly id: string
  /** `<cluster>/<service>` */
  readonly service: string
  /** Id of the revision that it goes to: the digits of the deployment's id. */
  readonly targetRevision: string
  readonly sourceRevisions: readonly string[]
  readonly status: ecs.ServiceDeploymentStatus
  readonly statusReason?: string
  readonly deploymentConfiguration: ecs.DeploymentConfiguration
  readonly circuitBreaker: {
    readonly status: ecs.ServiceDeploymentRollbackMonitorsStatus
    readonly failureCount: number
    readonly threshold: number
  }
  /** How far it has come on the way to its target. */
  readonly lifecycleStage?: ecs.ServiceDeploymentLifecycleStage
  /** The pauses that it has come to, oldest first. */
  readonly pauses?: readonly PauseRecord[]
  readonly rollback?: { readonly reason: string; readonly startedAt: number; readonly revision: string }
  readonly createdAt: number
  readonly updatedAt: number
  /** When its service was first acted on for it. */
  readonly startedAt?: number
  /** When it ended, well or not. */
  readonly finishedAt?: number
  /** When it was stopped: by a user, by a newer one, or because it failed and is not rolled back. */
  readonly stoppedAt?: number
}

export interface ServiceEventRecord {
  /** UUID. */
  readonly id: string
  /** `<cluster>/<service>` */
  readonly service: string
  readonly createdAt: number
  readonly message: string
  /** Counts up within the service. */
  readonly sequence: number
}

/** Account settings, by principal ARN, or `default` for those of the whole account. */
export interface AccountSettingRecord {
  readonly principalArn: string
  readonly name: string
  readonly value: string
}

/** What a client token was used for, so that the same call again gets the same answer. */
export interface ClientTokenRecord {
  /** `<operation>/<cluster>/<token>` */
  readonly key: string
  /** Hash of the rest of the input: the same token with another input is refused. */
  readonly fingerprint: string
  /** Ids of the tasks, or of the task set, that were made. */
  readonly taskIds: readonly string[]
  readonly createdAt: number
}

/** What lets hosts in that have no certificate yet. Kept for a while after it is of no use any more, so that it can be said why. */
export interface JoinTokenRecord {
  readonly id: string
  /** SHA-256 of the secret, hex. */
  readonly secretHash: string
  /** By name. */
  readonly cluster: string
  /** How many hosts it lets in. */
  readonly uses: number
  readonly used: number
  readonly createdAt: number
  readonly createdBy: string
  readonly expiresAt: number
  readonly revokedAt?: number
}

/** A host that was given a certificate. */
export interface EnrolmentRecord {
  /** What the host calls itself for life. */
  readonly hostId: string
  readonly cluster: string
  /** SHA-256 of its newest public key, hex: what it proves itself with when its certificate has run out. */
  readonly keyHash: string
  /** Until when its newest certificate counts. */
  readonly until: number
  /** The token that let it in. */
  readonly tokenId: string
  readonly enrolledAt: number
  readonly renewedAt?: number
}

/** A key that signs requests. */
export interface AccessKeyRecord {
  readonly accessKeyId: string
  /** Sealed for `accessKeyContext(accessKeyId)`. */
  readonly sealedSecret: string
  /** Who holds it; shown as `user/<name>`. */
  readonly name: string
  readonly status: 'ACTIVE' | 'INACTIVE'
  readonly createdAt: number
  readonly createdBy: string
}

/** Every table of a cell, and how its records are keyed. */
export interface CellRecords {
  /** By name. */
  clusters: ClusterRecord
  /** By family. */
  families: FamilyRecord
  /** By `family:revision`. */
  taskDefinitions: TaskDefinitionRecord
  /** By id. */
  tasks: TaskRecord
  /** By container instance id. */
  hosts: HostRecord
  /** By `cluster/name`. */
  services: ServiceRecord
  /** By `cluster/name/id`. */
  taskSets: TaskSetRecord
  /** By `cluster/name/id`. */
  serviceRevisions: ServiceRevisionRecord
  /** By `cluster/name/id`. */
  serviceDeployments: ServiceDeploymentRecord
  /** By `cluster/name/<sequence, 12 digits>`. */
  serviceEvents: ServiceEventRecord
  /** By `principalArn name`. */
  accountSettings: AccountSettingRecord
  /** Under `latest`. */
  storeReturns: StoreReturnRecord
  /** By key. */
  clientTokens: ClientTokenRecord
  /** By id. */
  joinTokens: JoinTokenRecord
  /** By the host's own id. */
  enrolments: EnrolmentRecord
  /** By access key id. */
  accessKeys: AccessKeyRecord
}

export type TableName = keyof CellRecords

export const tableNames = [
  'clusters',
  'families',
  'taskDefinitions',
  'tasks',
  'hosts',
  'services',
  'taskSets',
  'serviceRevisions',
  'serviceDeployments',
  'serviceEvents',
  'accountSettings',
  'storeReturns',
  'clientTokens',
  'joinTokens',
  'enrolments',
  'accessKeys',
] as const satisfies readonly TableName[]

export const serviceKey = (cluster: string, name: string): string => `${cluster}/${name}`
export const taskDefinitionKey = (family: string, revision: number): string => `${family}:${revision}`
/** The key of a service's task set, revision or service deployment. */
export const ofServiceKey = (service: string, id: string): string => `${service}/${id}`
export const serviceEventKey = (service: string, sequence: number): string =>
  `${service}/${String(sequence).padStart(12, '0')}`
export const accountSettingKey = (principalArn: string, name: string): string => `${principalArn} ${name}`

/** Whether a task still holds its claim on its host: from placement until the host reports STOPPED or is given up. */
export const holdsClaim = (task: TaskRecord): boolean => task.hostId !== undefined && task.lastStatus !== 'STOPPED'

/** A task that waits for room. */
export type WaitingTaskRecord = TaskRecord & { readonly queue: TaskQueueRecord }

export const isWaiting = (task: TaskRecord): task is WaitingTaskRecord =>
  task.queue !== undefined && task.hostId === undefined && task.lastStatus !== 'STOPPED'
