import {
  type FieldSupport,
  kept,
  refused,
  refusedWhen,
  saysNothing,
  unread,
  works,
  worksAs,
  worksBut,
} from './field-support.ts'

const noLambda = 'it has no functions to call; hooks of targetType PAUSE are supported'
const rollingOnly = 'deployments are ROLLING'
const noTraffic = `${rollingOnly} and shift no traffic, so that there is no such stage`
const noLoadBalancers = 'Berth has no load balancers yet'
const noAlarms = 'it has no CloudWatch alarms'
const onFargate = 'kept and answered for FARGATE: tasks have the features that the hosts have'
const noSubnets = 'kept and answered: tasks have addresses on the networks of their hosts'
const noExec = 'kept and answered; ExecuteCommand itself is not part of Berth yet'
const noCommandLogs = 'checked and answered: there is no ExecuteCommand yet that could log'
const noRoles = 'kept and answered: there is no IAM yet'
const noNamespaces = 'it has no Service Connect yet'

/** What says nothing unless this member of it does. */
const onlyWith =
  (member: string) =>
  (value: unknown): boolean =>
    !saysNothing((value as Readonly<Record<string, unknown>>)[member])

const loadBalancers: FieldSupport = {
  kind: 'refused',
  why: noLoadBalancers,
  ownMessage(value) {
    const [first] = value as readonly { readonly targetGroupArn?: string; readonly loadBalancerName?: string }[]
    return first?.targetGroupArn === undefined
      ? `The load balancer ${first?.loadBalancerName ?? ''} does not exist: ${noLoadBalancers}.`
      : `The target group with targetGroupArn ${first.targetGroupArn} does not exist: ${noLoadBalancers}.`
  },
}

const serviceRegistries: FieldSupport = {
  kind: 'refused',
  why: 'Berth has no service discovery yet',
  ownMessage(value) {
    const [first] = value as readonly { readonly registryArn?: string }[]
    return `The service registry ${first?.registryArn ?? ''} does not exist: Berth has no service discovery yet.`
  },
}

const launchType = worksBut({
  EXTERNAL: 'its hosts are EC2 and FARGATE capacity',
  MANAGED_INSTANCES: 'its hosts are EC2 and FARGATE capacity',
})

/** The same members of every structure that has all of them, under another name. */
const of = (structure: string, members: Readonly<Record<string, FieldSupport>>): Record<string, FieldSupport> =>
  Object.fromEntries(Object.entries(members).map(([member, support]) => [`${structure}.${member}`, support]))

const all = (support: FieldSupport, ...members: readonly string[]): Record<string, FieldSupport> =>
  Object.fromEntries(members.map((member) => [member, support]))

const paged = all(works, 'nextToken', 'maxResults')

/** What CreateService, UpdateService and CreateTaskSet say of what does not exist yet. */
const serviceParts = {
  loadBalancers,
  serviceRegistries,
}
const serviceExtras = {
  ...serviceParts,
  serviceConnectConfiguration: refusedWhen(noNamespaces, onlyWith('enabled')),
  volumeConfigurations: refused('it has no EBS volumes'),
  vpcLatticeConfigurations: refused('it has no VPC Lattice'),
  gatewayConnectors: refused('it has no gateways'),
  monitoring: refusedWhen('it has no CloudWatch', onlyWith('metricConfigurations')),
}

const launch = {
  ...all(works, 'cluster', 'taskDefinition', 'group', 'overrides', 'startedBy', 'tags', 'enableECSManagedTags'),
  propagateTags: worksAs('`TASK_DEFINITION`, or `NONE`, as in ECS'),
  enableExecuteCommand: kept(noExec),
  networkConfiguration: works,
  referenceId: kept('checked; ECS says no more of it'),
  volumeConfigurations: serviceExtras.volumeConfigurations,
}

/**
 * Every member that the requests of the operations with a handler can hold beside those of a task definition, by
 * `Structure.member` of the ECS model, and what becomes of it.
 */
export const requestFields: Readonly<Record<string, FieldSupport>> = {
  ...of('CreateClusterRequest', {
    ...all(works, 'clusterName', 'tags', 'settings', 'capacityProviders', 'defaultCapacityProviderStrategy'),
    configuration: works,
    serviceConnectDefaults: refusedWhen(noNamespaces, onlyWith('namespace')),
  }),
  ...of('UpdateClusterRequest', {
    ...all(works, 'cluster', 'settings', 'configuration'),
    serviceConnectDefaults: refusedWhen(noNamespaces, onlyWith('namespace')),
  }),
  ...of('ClusterServiceConnectDefaultsRequest', { namespace: unread }),
  ...of('UpdateClusterSettingsRequest', all(works, 'cluster', 'settings')),
  ...of('ClusterSetting', {
    name: worksAs('`containerInsights`, and the settings of [Berth itself](cluster-settings.md)'),
    value: works,
  }),
  ...of('ClusterConfiguration', {
    executeCommandConfiguration: kept(noCommandLogs),
    managedStorageConfiguration: refused('it does not encrypt the storage of its hosts with KMS keys'),
  }),
  ...of('ManagedStorageConfiguration', all(unread, 'kmsKeyId', 'fargateEphemeralStorageKmsKeyId')),
  ...of('ExecuteCommandConfiguration', all(kept(noCommandLogs), 'kmsKeyId', 'logging', 'logConfiguration')),
  ...of(
    'ExecuteCommandLogConfiguration',
    all(
      kept(noCommandLogs),
      'cloudWatchLogGroupName',
      'cloudWatchEncryptionEnabled',
      's3BucketName',
      's3EncryptionEnabled',
      's3KeyPrefix',
    ),
  ),
  ...of(
    'PutClusterCapacityProvidersRequest',
    all(works, 'cluster', 'capacityProviders', 'defaultCapacityProviderStrategy'),
  ),
  ...of('CapacityProviderStrategyItem', {
    capacityProvider: worksAs('`FARGATE` and `FARGATE_SPOT`'),
    ...all(works, 'weight', 'base'),
  }),
  ...of('DeleteClusterRequest', { cluster: works }),
  ...of('DescribeClustersRequest', all(works, 'clusters', 'include')),
  ...of('ListClustersRequest', paged),
  ...of('DescribeCapacityProvidersRequest', {
    ...all(works, 'capacityProviders'),
    cluster: kept('every cluster has the same two'),
    include: kept('the two have no tags'),
    ...paged,
  }),

  ...of('CreateServiceRequest', {
    ...all(
      works,
      'serviceName',
      'cluster',
      'taskDefinition',
      'availabilityZoneRebalancing',
      'desiredCount',
      'clientToken',
      'capacityProviderStrategy',
      'deploymentConfiguration',
      'placementConstraints',
      'placementStrategy',
      'networkConfiguration',
      'schedulingStrategy',
      'deploymentController',
      'tags',
      'enableECSManagedTags',
      'propagateTags',
    ),
    launchType,
    platformVersion: kept(onFargate),
    role: kept('for load balancers, which Berth has not yet'),
    healthCheckGracePeriodSeconds: works,
    enableExecuteCommand: kept(noExec),
    ...serviceExtras,
  }),
  ...of('UpdateServiceRequest', {
    ...all(
      works,
      'service',
      'cluster',
      'desiredCount',
      'taskDefinition',
      'capacityProviderStrategy',
      'deploymentConfiguration',
      'availabilityZoneRebalancing',
      'networkConfiguration',
      'placementConstraints',
      'placementStrategy',
      'forceNewDeployment',
      'healthCheckGracePeriodSeconds',
      'enableECSManagedTags',
      'propagateTags',
    ),
    platformVersion: kept(onFargate),
    deploymentController: worksAs('must be the one that the service has'),
    enableExecuteCommand: kept(noExec),
    ...serviceExtras,
  }),
  ...of('CreateTaskSetRequest', {
    ...all(
      works,
      'service',
      'cluster',
      'taskDefinition',
      'externalId',
      'networkConfiguration',
      'capacityProviderStrategy',
      'scale',
      'clientToken',
      'tags',
    ),
    launchType,
    platformVersion: kept(onFargate),
    ...serviceParts,
  }),
  ...of('Scale', all(works, 'value', 'unit')),
  ...of(
    'LoadBalancer',
    all(unread, 'targetGroupArn', 'loadBalancerName', 'containerName', 'containerPort', 'advancedConfiguration'),
  ),
  ...of(
    'AdvancedConfiguration',
    all(unread, 'alternateTargetGroupArn', 'productionListenerRule', 'testListenerRule', 'roleArn'),
  ),
  ...of('ServiceRegistry', all(unread, 'registryArn', 'port', 'containerName', 'containerPort')),
  ...of('DeploymentConfiguration', {
    ...all(works, 'deploymentCircuitBreaker', 'maximumPercent', 'minimumHealthyPercent', 'bakeTimeInMinutes'),
    ...all(works, 'lifecycleHooks', 'earlySuccessCriteria'),
    alarms: refusedWhen(noAlarms, onlyWith('enable')),
    strategy: worksBut({ BLUE_GREEN: rollingOnly, CANARY: rollingOnly, LINEAR: rollingOnly }),
    ...all(
      refusedWhen(rollingOnly, () => true),
      'linearConfiguration',
      'canaryConfiguration',
    ),
  }),
  ...of('DeploymentCircuitBreaker', all(works, 'enable', 'rollback', 'resetOnHealthyTask', 'thresholdConfiguration')),
  ...of('ThresholdConfiguration', all(works, 'type', 'value')),
  ...of('DeploymentAlarms', all(kept('alarms that are not enabled are kept and answered'), 'alarmNames', 'rollback')),
  ...of('DeploymentAlarms', { enable: worksAs('`false`; see alarms') }),
  ...of('DeploymentLifecycleHook', {
    targetType: worksBut({ AWS_LAMBDA: noLambda }, '`PAUSE`, which must be said'),
    ...all(kept('refused beside `PAUSE`, as in ECS'), 'hookTargetArn', 'roleArn'),
    lifecycleStages: worksBut(
      Object.fromEntries(
        ['PRE_PRODUCTION_TRAFFIC_SHIFT', 'POST_TEST_TRAFFIC_SHIFT', 'POST_PRODUCTION_TRAFFIC_SHIFT'].map((stage) => [
          stage,
          noTraffic,
        ]),
      ),
      '`RECONCILE_SERVICE`, `PRE_SCALE_UP`, `POST_SCALE_UP`',
    ),
    hookDetails: kept('for functions'),
    timeoutConfiguration: works,
  }),
  ...of('DeploymentLifecycleHookTimeoutConfiguration', all(works, 'timeoutInMinutes', 'action')),
  ...of('LinearConfiguration', all(unread, 'stepPercent', 'stepBakeTimeInMinutes')),
  ...of('CanaryConfiguration', all(unread, 'canaryPercent', 'canaryBakeTimeInMinutes')),
  ...of('DeploymentEarlySuccessCriteria', all(works, 'enable', 'healthyPercent', 'sourceServiceRevisionCleanup')),
  ...of('PlacementConstraint', all(works, 'type', 'expression')),
  ...of('PlacementStrategy', all(works, 'type', 'field')),
  ...of('NetworkConfiguration', { awsvpcConfiguration: worksAs('required for network mode `awsvpc`, as in ECS') }),
  ...of('AwsVpcConfiguration', all(kept(noSubnets), 'subnets', 'securityGroups', 'assignPublicIp')),
  ...of('DeploymentController', { type: worksBut({ CODE_DEPLOY: 'it has no CodeDeploy' }) }),
  ...of('ServiceConnectConfiguration', {
    enabled: worksAs('`false`; see serviceConnectConfiguration'),
    ...all(unread, 'namespace', 'services', 'logConfiguration', 'accessLogConfiguration', 'containerConfigurations'),
  }),
  ...of(
    'ServiceConnectService',
    all(unread, 'portName', 'discoveryName', 'clientAliases', 'ingressPortOverride', 'timeout', 'tls'),
  ),
  ...of('ServiceConnectClientAlias', all(unread, 'port', 'dnsName', 'testTrafficRules')),
  ...of('ServiceConnectTestTrafficRules', { header: unread }),
  ...of('ServiceConnectTestTrafficHeaderRules', all(unread, 'name', 'value')),
  ...of('ServiceConnectTestTrafficHeaderMatchRules', { exact: unread }),
  ...of('TimeoutConfiguration', all(unread, 'idleTimeoutSeconds', 'perRequestTimeoutSeconds')),
  ...of('ServiceConnectTlsConfiguration', all(unread, 'issuerCertificateAuthority', 'kmsKey', 'roleArn')),
  ...of('ServiceConnectTlsCertificateAuthority', { awsPcaAuthorityArn: unread }),
  ...of('ServiceConnectAccessLogConfiguration', all(unread, 'format', 'includeQueryParameters')),
  ...of('ServiceConnectContainerConfiguration', { logLevel: unread }),
  ...of('ServiceVolumeConfiguration', all(unread, 'name', 'managedEBSVolume')),
  ...of(
    'ServiceManagedEBSVolumeConfiguration',
    all(
      unread,
      'roleArn',
      'encrypted',
      'kmsKeyId',
      'volumeType',
      'sizeInGiB',
      'snapshotId',
      'volumeInitializationRate',
      'iops',
      'throughput',
      'tagSpecifications',
      'filesystemType',
    ),
  ),
  ...of('EBSTagSpecification', all(unread, 'resourceType', 'tags', 'propagateTags')),
  ...of('VpcLatticeConfiguration', all(unread, 'roleArn', 'targetGroupArn', 'portName', 'advancedConfiguration')),
  ...of(
    'VpcLatticeAdvancedConfiguration',
    all(unread, 'alternateTargetGroupArn', 'productionListenerRule', 'testListenerRule'),
  ),
  ...of('GatewayConnector', all(unread, 'portName', 'healthCheck', 'filters')),
  ...of(
    'GatewayConnectorHealthCheck',
    all(
      unread,
      'healthCheckProtocol',
      'healthCheckPort',
      'healthCheckPath',
      'healthCheckTimeoutSeconds',
      'healthCheckIntervalSeconds',
      'healthyThresholdCount',
      'unhealthyThresholdCount',
      'matcher',
    ),
  ),
  ...of('GatewayConnectorHealthCheckMatcher', all(unread, 'httpCode', 'grpcCode')),
  ...of('GatewayConnectorFilters', { accessTypes: unread }),
  ...of('MonitoringConfiguration', { metricConfigurations: unread }),
  ...of('MetricConfiguration', all(unread, 'metricNames', 'resolutionSeconds')),

  ...of('DeleteServiceRequest', all(works, 'service', 'cluster', 'force')),
  ...of('DescribeServicesRequest', all(works, 'services', 'cluster', 'include')),
  ...of('ListServicesRequest', {
    ...all(works, 'cluster', 'launchType', 'schedulingStrategy'),
    resourceManagementType: works,
    ...paged,
  }),
  ...of('DeleteTaskSetRequest', all(works, 'cluster', 'service', 'taskSet', 'force')),
  ...of('DescribeTaskSetsRequest', all(works, 'cluster', 'service', 'taskSets', 'include')),
  ...of('UpdateTaskSetRequest', all(works, 'cluster', 'service', 'taskSet', 'scale')),
  ...of('UpdateServicePrimaryTaskSetRequest', all(works, 'cluster', 'service', 'primaryTaskSet')),
  ...of('ContinueServiceDeploymentRequest', all(works, 'serviceDeploymentArn', 'hookId', 'action')),
  ...of('StopServiceDeploymentRequest', all(works, 'serviceDeploymentArn', 'stopType')),
  ...of('DescribeServiceDeploymentsRequest', { serviceDeploymentArns: works }),
  ...of('DescribeServiceRevisionsRequest', { serviceRevisionArns: works }),
  ...of('ListServiceDeploymentsRequest', { ...all(works, 'service', 'cluster', 'status', 'createdAt'), ...paged }),
  ...of('CreatedAt', all(works, 'before', 'after')),

  ...of('RunTaskRequest', {
    ...launch,
    ...all(works, 'capacityProviderStrategy', 'count', 'placementConstraints', 'placementStrategy', 'clientToken'),
    launchType,
    platformVersion: kept(onFargate),
  }),
  ...of('StartTaskRequest', { ...launch, containerInstances: works }),
  ...of('TaskOverride', {
    ...all(works, 'containerOverrides', 'cpu', 'memory'),
    inferenceAcceleratorOverrides: refused('it has no accelerators'),
    ...all(kept(noRoles), 'executionRoleArn', 'taskRoleArn'),
    ephemeralStorage: kept('20 to 200 GiB, FARGATE only: containers have all the room that the host has'),
  }),
  ...of(
    'ContainerOverride',
    all(
      works,
      'name',
      'command',
      'environment',
      'environmentFiles',
      'cpu',
      'memory',
      'memoryReservation',
      'resourceRequirements',
    ),
  ),
  ...of('InferenceAcceleratorOverride', all(unread, 'deviceName', 'deviceType')),
  ...of('TaskVolumeConfiguration', all(unread, 'name', 'managedEBSVolume')),
  ...of(
    'TaskManagedEBSVolumeConfiguration',
    all(
      unread,
      'roleArn',
      'encrypted',
      'kmsKeyId',
      'volumeType',
      'sizeInGiB',
      'snapshotId',
      'volumeInitializationRate',
      'iops',
      'throughput',
      'tagSpecifications',
      'terminationPolicy',
      'filesystemType',
    ),
  ),
  ...of('TaskManagedEBSVolumeTerminationPolicy', { deleteOnTermination: unread }),
  ...of('StopTaskRequest', all(works, 'task', 'cluster', 'reason')),
  ...of('DescribeTasksRequest', all(works, 'tasks', 'cluster', 'include')),
  ...of('ListTasksRequest', {
    ...all(works, 'cluster', 'containerInstance', 'family', 'startedBy', 'serviceName', 'desiredStatus', 'launchType'),
    daemonName: refused('it has no daemons'),
    ...paged,
  }),
  ...of('GetTaskProtectionRequest', all(works, 'cluster', 'tasks')),
  ...of('UpdateTaskProtectionRequest', all(works, 'cluster', 'tasks', 'protectionEnabled', 'expiresInMinutes')),

  ...of('DeregisterTaskDefinitionRequest', { taskDefinition: works }),
  ...of('DeleteTaskDefinitionsRequest', { taskDefinitions: works }),
  ...of('DescribeTaskDefinitionRequest', all(works, 'taskDefinition', 'include')),
  ...of('ListTaskDefinitionFamiliesRequest', { ...all(works, 'familyPrefix', 'status'), ...paged }),
  ...of('ListTaskDefinitionsRequest', { ...all(works, 'familyPrefix', 'status', 'sort'), ...paged }),

  ...of('DescribeContainerInstancesRequest', all(works, 'containerInstances', 'cluster', 'include')),
  ...of('ListContainerInstancesRequest', { ...all(works, 'cluster', 'filter', 'status'), ...paged }),
  ...of('UpdateContainerInstancesStateRequest', all(works, 'containerInstances', 'status', 'cluster')),
  ...of('DeregisterContainerInstanceRequest', all(works, 'containerInstance', 'cluster', 'force')),
  ...of('PutAttributesRequest', all(works, 'attributes', 'cluster')),
  ...of('DeleteAttributesRequest', all(works, 'attributes', 'cluster')),
  ...of('ListAttributesRequest', {
    ...all(works, 'targetType', 'cluster', 'attributeName', 'attributeValue'),
    ...paged,
  }),
  ...of('Attribute', all(works, 'name', 'value', 'targetType', 'targetId')),

  ...of('PutAccountSettingRequest', all(works, 'name', 'value', 'principalArn')),
  ...of('PutAccountSettingDefaultRequest', all(works, 'name', 'value')),
  ...of('DeleteAccountSettingRequest', all(works, 'name', 'principalArn')),
  ...of('ListAccountSettingsRequest', {
    ...all(works, 'name', 'value', 'principalArn', 'effectiveSettings'),
    ...paged,
  }),
  ...of('TagResourceRequest', all(works, 'resourceArn', 'tags')),
  ...of('UntagResourceRequest', all(works, 'resourceArn', 'tagKeys')),
  ...of('ListTagsForResourceRequest', { resourceArn: works }),
}
