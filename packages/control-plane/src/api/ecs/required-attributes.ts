import type { Attribute, ContainerDefinition, Secret } from '@aws-sdk/client-ecs'
import type { NormalizedDefinition } from './task-definition-defaults.ts'

const capability = (name: string): string => `ecs.capability.${name}`
const agentCapability = (name: string): string => `com.amazonaws.ecs.capability.${name}`
const dockerApi = (version: string): string => agentCapability(`docker-remote-api.${version}`)

/** What a task asks of its host's attributes: a question of the whole definition, and what follows from a yes. */
const taskRules: readonly (readonly [(definition: NormalizedDefinition) => boolean, readonly string[]])[] = [
  [({ networkMode }) => networkMode === 'awsvpc', [capability('task-eni'), dockerApi('1.18')]],
  [({ cpu, memory }) => cpu !== undefined || memory !== undefined, [capability('task-cpu-mem-limit')]],
  [({ pidMode, ipcMode }) => pidMode !== undefined || ipcMode !== undefined, [capability('pid-ipc-namespace-sharing')]],
]

const isSecret = ({ valueFrom = '' }: Secret): boolean => /^arn:[^:]*:secretsmanager:/.test(valueFrom)
const isParameter = (secret: Secret): boolean => !isSecret(secret)

/** The same of each container. */
const containerRules: readonly (readonly [(container: ContainerDefinition) => boolean, readonly string[]])[] = [
  [({ privileged }) => privileged === true, [agentCapability('privileged-container')]],
  [({ memoryReservation }) => memoryReservation !== undefined, [dockerApi('1.21')]],
  [({ logConfiguration }) => logConfiguration !== undefined, [dockerApi('1.18')]],
  [({ ulimits }) => (ulimits?.length ?? 0) > 0, [dockerApi('1.18')]],
  [({ healthCheck }) => healthCheck !== undefined, [capability('container-health-check'), dockerApi('1.24')]],
  [({ dependsOn }) => (dependsOn?.length ?? 0) > 0, [capability('container-ordering')]],
  [({ startTimeout, stopTimeout }) => (startTimeout ?? stopTimeout) !== undefined, [capability('container-ordering')]],
  [({ restartPolicy }) => restartPolicy?.enabled === true, [capability('container-restart-policy')]],
  [({ linuxParameters }) => linuxParameters !== undefined, [dockerApi('1.22')]],
  [({ linuxParameters }) => linuxParameters?.initProcessEnabled === true, [dockerApi('1.25')]],
  [({ secrets = [] }) => secrets.some(isParameter), [capability('secrets.ssm.environment-variables')]],
  [({ secrets = [] }) => secrets.some(isSecret), [capability('secrets.asm.environment-variables')]],
  [
    ({ logConfiguration }) => logConfiguration?.secretOptions?.some(isParameter) ?? false,
    [capability('secrets.ssm.bootstrap.log-driver')],
  ],
  [
    ({ logConfiguration }) => logConfiguration?.secretOptions?.some(isSecret) ?? false,
    [capability('secrets.asm.bootstrap.log-driver')],
  ],
  [({ environmentFiles = [] }) => environmentFiles.length > 0, [capability('env-files.s3')]],
  [
    ({ repositoryCredentials }) => repositoryCredentials?.credentialsParameter !== undefined,
    [capability('private-registry-authentication.secretsmanager')],
  ],
]

/**
 * The attributes that a host must have to run the definition, by name and each once, under ECS's names. Only what Berth's
 * agent can have is asked for: roles and ECR's sign-in, which ECS asks for too, would keep tasks from every host.
 */
export function requiredAttributes(definition: NormalizedDefinition): Attribute[] {
  const names = new Set(
    [
      ...taskRules.filter(([applies]) => applies(definition)).flatMap(([, names]) => names),
      ...definition.containerDefinitions.flatMap(containerAttributes),
      ...definition.volumes.flatMap(({ efsVolumeConfiguration: efs }) =>
        efs === undefined ? [] : [capability('efs')],
      ),
      ...definition.volumes.flatMap(({ dockerVolumeConfiguration: docker }) =>
        docker?.driver === undefined ? [] : [capability(`docker-plugin.${docker.driver}`)],
      ),
    ].sort(),
  )
  return [...Array.from(names, (name) => ({ name })), ...platformAttributes(definition)]
}

/** The agent reports its processor under ECS's attribute, in lower case. */
const platformAttributes = ({ runtimePlatform }: NormalizedDefinition): readonly Attribute[] =>
  runtimePlatform?.cpuArchitecture === undefined
    ? []
    : [{ name: 'ecs.cpu-architecture', value: runtimePlatform.cpuArchitecture.toLowerCase() }]

const containerAttributes = (container: ContainerDefinition): readonly string[] => [
  ...containerRules.filter(([applies]) => applies(container)).flatMap(([, names]) => names),
  ...(container.logConfiguration === undefined
    ? []
    : [agentCapability(`logging-driver.${container.logConfiguration.logDriver}`)]),
]
