/** What Berth does with one member of a task definition. */
export type FieldSupport =
  /** Does what ECS documents. */
  | { readonly kind: 'works'; readonly note?: string; readonly refusedValues?: Readonly<Record<string, string>> }
  /** Is kept and answered, and has nothing here that it could act on; `note` says why that is harmless. */
  | { readonly kind: 'kept'; readonly note: string; readonly refusedValues?: Readonly<Record<string, string>> }
  /** Is refused when it is there and not empty; `why` ends the message. */
  | { readonly kind: 'refused'; readonly why: string }

const works: FieldSupport = { kind: 'works' }
const worksAs = (note: string): FieldSupport => ({ kind: 'works', note })
const worksBut = (refusedValues: Readonly<Record<string, string>>, note?: string): FieldSupport => ({
  kind: 'works',
  refusedValues,
  ...(note === undefined ? {} : { note }),
})
const kept = (note: string): FieldSupport => ({ kind: 'kept', note })
const refused = (why: string): FieldSupport => ({ kind: 'refused', why })

const windows = 'Berth runs Linux containers only'
const unread = 'as part of what is refused'

/**
 * Every member that a RegisterTaskDefinition request can hold, by `Structure.member` of the ECS model, and what becomes
 * of it. The table drives the refusals and is printed in `docs/ecs-coverage.md`; a test holds it against the model.
 */
export const taskDefinitionFields: Readonly<Record<string, FieldSupport>> = {
  'RegisterTaskDefinitionRequest.family': works,
  'RegisterTaskDefinitionRequest.containerDefinitions': works,
  'RegisterTaskDefinitionRequest.taskRoleArn': kept('containers are given no credentials: there is no IAM yet'),
  'RegisterTaskDefinitionRequest.executionRoleArn': kept(
    'images are pulled and secrets are read with the credentials that hosts and control plane have',
  ),
  'RegisterTaskDefinitionRequest.networkMode': worksAs('absent: `bridge`, or `awsvpc` when the task is run as FARGATE'),
  'RegisterTaskDefinitionRequest.volumes': works,
  'RegisterTaskDefinitionRequest.placementConstraints': works,
  'RegisterTaskDefinitionRequest.requiresCompatibilities': worksBut({
    MANAGED_INSTANCES: 'it has no managed instances',
  }),
  'RegisterTaskDefinitionRequest.cpu': worksAs('`256`, `.25 vCPU`; kept in CPU units'),
  'RegisterTaskDefinitionRequest.memory': worksAs('`512`, `0.5GB`; kept in MiB'),
  'RegisterTaskDefinitionRequest.tags': works,
  'RegisterTaskDefinitionRequest.pidMode': works,
  'RegisterTaskDefinitionRequest.ipcMode': works,
  'RegisterTaskDefinitionRequest.proxyConfiguration': refused('it has no App Mesh'),
  'RegisterTaskDefinitionRequest.inferenceAccelerators': refused('it has no Elastic Inference'),
  'RegisterTaskDefinitionRequest.ephemeralStorage': kept(
    '21 to 200 GiB, FARGATE only: containers have all the room that the host has',
  ),
  'RegisterTaskDefinitionRequest.runtimePlatform': works,
  'RegisterTaskDefinitionRequest.enableFaultInjection': refused('its agent has no fault injection endpoint'),

  'ContainerDefinition.name': works,
  'ContainerDefinition.image': works,
  'ContainerDefinition.repositoryCredentials': works,
  'ContainerDefinition.cpu': works,
  'ContainerDefinition.memory': works,
  'ContainerDefinition.memoryReservation': works,
  'ContainerDefinition.links': worksAs('network mode `bridge` only, as in ECS'),
  'ContainerDefinition.portMappings': works,
  'ContainerDefinition.essential': works,
  'ContainerDefinition.restartPolicy': works,
  'ContainerDefinition.entryPoint': works,
  'ContainerDefinition.command': works,
  'ContainerDefinition.environment': works,
  'ContainerDefinition.environmentFiles': worksAs(
    'read from BERTH_ENVIRONMENT_FILES in the place of S3: [secrets](secrets.md)',
  ),
  'ContainerDefinition.mountPoints': works,
  'ContainerDefinition.volumesFrom': works,
  'ContainerDefinition.linuxParameters': works,
  'ContainerDefinition.secrets': worksAs('read from BERTH_SECRETS_FILE in the place of AWS: [secrets](secrets.md)'),
  'ContainerDefinition.dependsOn': works,
  'ContainerDefinition.startTimeout': works,
  'ContainerDefinition.stopTimeout': works,
  'ContainerDefinition.versionConsistency': worksAs(
    'the digest that the first task of a deployment reports is what its later tasks run; an image made on a host has none',
  ),
  'ContainerDefinition.hostname': worksAs('not in network mode `awsvpc`, as in ECS'),
  'ContainerDefinition.user': works,
  'ContainerDefinition.workingDirectory': works,
  'ContainerDefinition.disableNetworking': works,
  'ContainerDefinition.privileged': worksAs('not for FARGATE, as in ECS'),
  'ContainerDefinition.readonlyRootFilesystem': works,
  'ContainerDefinition.dnsServers': worksAs('not in network mode `awsvpc`, as in ECS'),
  'ContainerDefinition.dnsSearchDomains': worksAs('not in network mode `awsvpc`, as in ECS'),
  'ContainerDefinition.extraHosts': worksAs('not in network mode `awsvpc`, as in ECS'),
  'ContainerDefinition.dockerSecurityOptions': works,
  'ContainerDefinition.interactive': works,
  'ContainerDefinition.pseudoTerminal': works,
  'ContainerDefinition.dockerLabels': works,
  'ContainerDefinition.ulimits': works,
  'ContainerDefinition.logConfiguration': works,
  'ContainerDefinition.healthCheck': works,
  'ContainerDefinition.systemControls': works,
  'ContainerDefinition.resourceRequirements': works,
  'ContainerDefinition.firelensConfiguration': refused('it has no FireLens'),
  'ContainerDefinition.credentialSpecs': refused('it has no Active Directory'),

  'RepositoryCredentials.credentialsParameter': works,

  'PortMapping.containerPort': works,
  'PortMapping.hostPort': works,
  'PortMapping.protocol': works,
  'PortMapping.name': works,
  'PortMapping.appProtocol': kept('read by Service Connect, which Berth refuses on services'),
  'PortMapping.containerPortRange': worksAs('each port of it is granted by itself'),

  'ContainerRestartPolicy.enabled': works,
  'ContainerRestartPolicy.ignoredExitCodes': works,
  'ContainerRestartPolicy.restartAttemptPeriod': works,

  'KeyValuePair.name': works,
  'KeyValuePair.value': works,

  'EnvironmentFile.value': works,
  'EnvironmentFile.type': works,

  'MountPoint.sourceVolume': works,
  'MountPoint.containerPath': works,
  'MountPoint.readOnly': works,

  'VolumeFrom.sourceContainer': works,
  'VolumeFrom.readOnly': works,

  'LinuxParameters.capabilities': works,
  'LinuxParameters.devices': works,
  'LinuxParameters.initProcessEnabled': works,
  'LinuxParameters.sharedMemorySize': works,
  'LinuxParameters.tmpfs': works,
  'LinuxParameters.maxSwap': works,
  'LinuxParameters.swappiness': works,
  'KernelCapabilities.add': works,
  'KernelCapabilities.drop': works,
  'Device.hostPath': works,
  'Device.containerPath': works,
  'Device.permissions': works,
  'Tmpfs.containerPath': works,
  'Tmpfs.size': works,
  'Tmpfs.mountOptions': works,

  'Secret.name': works,
  'Secret.valueFrom': works,

  'ContainerDependency.containerName': works,
  'ContainerDependency.condition': works,

  'HostEntry.hostname': works,
  'HostEntry.ipAddress': works,

  'Ulimit.name': works,
  'Ulimit.softLimit': works,
  'Ulimit.hardLimit': works,

  'LogConfiguration.logDriver': worksBut(
    {
      awslogs: 'it has no CloudWatch Logs yet; use json-file, journald, syslog, fluentd or gelf',
      awsfirelens: 'it has no FireLens; use fluentd',
    },
    "Docker's own drivers, where the host has them",
  ),
  'LogConfiguration.options': works,
  'LogConfiguration.secretOptions': works,

  'HealthCheck.command': works,
  'HealthCheck.interval': works,
  'HealthCheck.timeout': works,
  'HealthCheck.retries': works,
  'HealthCheck.startPeriod': works,

  'SystemControl.namespace': works,
  'SystemControl.value': works,

  'ResourceRequirement.type': worksBut({
    InferenceAccelerator: 'it has no Elastic Inference',
    NeuronDevice: 'it knows no Neuron devices',
  }),
  'ResourceRequirement.value': works,
  'ResourceRequirement.sharingStrategy': refused('it gives whole GPUs only'),
  'SharingStrategy.nvidiaMps': refused(unread),
  'NvidiaMpsAllocation.memory': refused(unread),
  'NvidiaMpsAllocation.maxComputePercent': refused(unread),

  'FirelensConfiguration.type': refused(unread),
  'FirelensConfiguration.options': refused(unread),

  'Volume.name': works,
  'Volume.host': works,
  'Volume.dockerVolumeConfiguration': works,
  'Volume.efsVolumeConfiguration': refused('it mounts no EFS file systems yet'),
  'Volume.s3filesVolumeConfiguration': refused('it mounts no S3 file systems'),
  'Volume.fsxWindowsFileServerVolumeConfiguration': refused(windows),
  'Volume.configuredAtLaunch': refused('it has no EBS volumes to attach at launch'),
  'HostVolumeProperties.sourcePath': works,
  'DockerVolumeConfiguration.scope': works,
  'DockerVolumeConfiguration.autoprovision': works,
  'DockerVolumeConfiguration.driver': works,
  'DockerVolumeConfiguration.driverOpts': works,
  'DockerVolumeConfiguration.labels': works,
  'EFSVolumeConfiguration.fileSystemId': refused(unread),
  'EFSVolumeConfiguration.rootDirectory': refused(unread),
  'EFSVolumeConfiguration.transitEncryption': refused(unread),
  'EFSVolumeConfiguration.transitEncryptionPort': refused(unread),
  'EFSVolumeConfiguration.authorizationConfig': refused(unread),
  'EFSAuthorizationConfig.accessPointId': refused(unread),
  'EFSAuthorizationConfig.iam': refused(unread),
  'S3FilesVolumeConfiguration.fileSystemArn': refused(unread),
  'S3FilesVolumeConfiguration.rootDirectory': refused(unread),
  'S3FilesVolumeConfiguration.transitEncryptionPort': refused(unread),
  'S3FilesVolumeConfiguration.accessPointArn': refused(unread),
  'FSxWindowsFileServerVolumeConfiguration.fileSystemId': refused(unread),
  'FSxWindowsFileServerVolumeConfiguration.rootDirectory': refused(unread),
  'FSxWindowsFileServerVolumeConfiguration.authorizationConfig': refused(unread),
  'FSxWindowsFileServerAuthorizationConfig.credentialsParameter': refused(unread),
  'FSxWindowsFileServerAuthorizationConfig.domain': refused(unread),

  'TaskDefinitionPlacementConstraint.type': works,
  'TaskDefinitionPlacementConstraint.expression': works,

  'Tag.key': works,
  'Tag.value': works,

  'ProxyConfiguration.containerName': refused(unread),
  'ProxyConfiguration.type': refused(unread),
  'ProxyConfiguration.properties': refused(unread),
  'InferenceAccelerator.deviceName': refused(unread),
  'InferenceAccelerator.deviceType': refused(unread),
  'EphemeralStorage.sizeInGiB': kept('see ephemeralStorage'),

  'RuntimePlatform.cpuArchitecture': worksAs('tasks are placed on hosts of that architecture'),
  'RuntimePlatform.operatingSystemFamily': worksBut({
    WINDOWS_SERVER_2004_CORE: windows,
    WINDOWS_SERVER_2016_FULL: windows,
    WINDOWS_SERVER_2019_CORE: windows,
    WINDOWS_SERVER_2019_FULL: windows,
    WINDOWS_SERVER_2022_CORE: windows,
    WINDOWS_SERVER_2022_FULL: windows,
    WINDOWS_SERVER_2025_CORE: windows,
    WINDOWS_SERVER_2025_FULL: windows,
    WINDOWS_SERVER_20H2_CORE: windows,
  }),
}
