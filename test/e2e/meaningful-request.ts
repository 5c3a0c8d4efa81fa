import { type Random, randomBelow } from '@berth/shared/random.ts'
import { type Json, validRequest } from '../conformance/valid-request.ts'

/**
 * A request that not only is right by the model but also means something: names of things that earlier requests made, sizes
 * that go together. One value of it changed reaches further than the same change to a request that is refused anyway.
 */
export function meaningfulRequest(operation: string, random: Random): Json {
  const make = requests[operation]
  return make === undefined ? validRequest(operation, random) : make(random)
}

const numbered = (name: string, random: Random, count: number): string => `${name}-${randomBelow(random, count)}`
const cluster = (random: Random): string => numbered('fuzz', random, 4)
const family = (random: Random): string => numbered('family', random, 6)
const service = (random: Random): string => numbered('service', random, 12)
const taskId = (random: Random): string => randomBelow(random, 1_000_000).toString(16).padStart(32, '0')
const clusterArn = (random: Random): string => `arn:aws:ecs:us-east-1:123456789012:cluster/${cluster(random)}`
const tags: Json = [{ key: 'team', value: 'blue' }]

const awsvpc: Json = {
  awsvpcConfiguration: {
    subnets: ['subnet-abc123', 'subnet-def456'],
    securityGroups: ['sg-123abc'],
    assignPublicIp: 'ENABLED',
  },
}

const container = (random: Random): Json => ({
  name: 'app',
  image: 'my-app-image:latest',
  cpu: 64,
  memory: 128,
  essential: true,
  portMappings: [{ containerPort: 80, hostPort: 80, protocol: 'tcp', name: 'web', appProtocol: 'http' }],
  environment: [{ name: 'COLOUR', value: 'blue' }],
  entryPoint: ['sh', '-c'],
  command: ['sleep 60'],
  dependsOn: [],
  stopTimeout: 5,
  dockerLabels: { who: 'fuzz' },
  ulimits: [{ name: 'nofile', softLimit: 1024, hardLimit: 2048 }],
  healthCheck: {
    command: ['CMD-SHELL', 'true'],
    interval: 10,
    timeout: 5,
    retries: 3,
    startPeriod: randomBelow(random, 60),
  },
  restartPolicy: { enabled: true, ignoredExitCodes: [0], restartAttemptPeriod: 60 },
  logConfiguration: { logDriver: 'json-file', options: { 'max-size': '1m' } },
  linuxParameters: { initProcessEnabled: true, capabilities: { drop: ['NET_RAW'] } },
  mountPoints: [{ sourceVolume: 'data', containerPath: '/data', readOnly: false }],
})

const requests: Readonly<Record<string, (random: Random) => Json>> = {
  CreateCluster: (random) => ({
    clusterName: cluster(random),
    tags,
    settings: [{ name: 'containerInsights', value: 'disabled' }],
    capacityProviders: ['FARGATE'],
    defaultCapacityProviderStrategy: [{ capacityProvider: 'FARGATE', weight: 1, base: 0 }],
  }),
  DescribeClusters: (random) => ({
    clusters: [cluster(random), 'default'],
    include: ['TAGS', 'STATISTICS', 'SETTINGS'],
  }),
  ListClusters: () => ({ maxResults: 2 }),
  UpdateCluster: (random) => ({
    cluster: cluster(random),
    settings: [{ name: 'containerInsights', value: 'disabled' }],
  }),
  UpdateClusterSettings: (random) => ({
    cluster: cluster(random),
    settings: [{ name: 'containerInsights', value: 'enabled' }],
  }),
  DeleteCluster: (random) => ({ cluster: numbered('fuzz', random, 400) }),
  RegisterTaskDefinition: (random) => ({
    family: family(random),
    networkMode: 'awsvpc',
    requiresCompatibilities: ['FARGATE', 'EC2'],
    cpu: '256',
    memory: '512',
    containerDefinitions: [container(random)],
    volumes: [{ name: 'data', host: {} }],
    placementConstraints: [],
    runtimePlatform: { cpuArchitecture: 'X86_64', operatingSystemFamily: 'LINUX' },
    tags,
  }),
  DescribeTaskDefinition: (random) => ({ taskDefinition: family(random), include: ['TAGS'] }),
  ListTaskDefinitions: (random) => ({ familyPrefix: family(random), status: 'ACTIVE', sort: 'DESC', maxResults: 5 }),
  ListTaskDefinitionFamilies: () => ({ familyPrefix: 'fam', status: 'ALL', maxResults: 3 }),
  DeregisterTaskDefinition: (random) => ({ taskDefinition: `${family(random)}:${1 + randomBelow(random, 100)}` }),
  DeleteTaskDefinitions: (random) => ({ taskDefinitions: [`${family(random)}:${1 + randomBelow(random, 100)}`] }),
  RunTask: (random) => ({
    cluster: cluster(random),
    taskDefinition: family(random),
    count: 2,
    launchType: 'FARGATE',
    networkConfiguration: awsvpc,
    overrides: { containerOverrides: [{ name: 'app', environment: [{ name: 'A', value: 'b' }], cpu: 32 }] },
    startedBy: 'fuzz',
    group: 'fuzz',
    clientToken: numbered('token', random, 1000),
    placementConstraints: [],
    tags,
    propagateTags: 'TASK_DEFINITION',
  }),
  StartTask: (random) => ({
    cluster: cluster(random),
    taskDefinition: family(random),
    containerInstances: [taskId(random)],
    networkConfiguration: awsvpc,
  }),
  StopTask: (random) => ({ cluster: cluster(random), task: taskId(random), reason: 'no more' }),
  DescribeTasks: (random) => ({ cluster: cluster(random), tasks: [taskId(random)], include: ['TAGS'] }),
  ListTasks: (random) => ({
    cluster: cluster(random),
    family: family(random),
    desiredStatus: 'RUNNING',
    maxResults: 5,
  }),
  CreateService: (random) => ({
    cluster: cluster(random),
    serviceName: service(random),
    taskDefinition: family(random),
    desiredCount: 2,
    launchType: 'FARGATE',
    schedulingStrategy: 'REPLICA',
    networkConfiguration: awsvpc,
    deploymentConfiguration: { maximumPercent: 200, minimumHealthyPercent: 50 },
    deploymentController: { type: 'ECS' },
    healthCheckGracePeriodSeconds: 0,
    enableECSManagedTags: true,
    propagateTags: 'SERVICE',
    tags,
  }),
  UpdateService: (random) => ({
    cluster: cluster(random),
    service: service(random),
    desiredCount: randomBelow(random, 4),
    taskDefinition: family(random),
    forceNewDeployment: true,
    deploymentConfiguration: { maximumPercent: 150, minimumHealthyPercent: 100 },
    networkConfiguration: awsvpc,
  }),
  DescribeServices: (random) => ({ cluster: cluster(random), services: [service(random)], include: ['TAGS'] }),
  ListServices: (random) => ({ cluster: cluster(random), launchType: 'FARGATE', maxResults: 3 }),
  DeleteService: (random) => ({ cluster: cluster(random), service: service(random), force: true }),
  DescribeContainerInstances: (random) => ({ cluster: cluster(random), containerInstances: [taskId(random)] }),
  ListContainerInstances: (random) => ({
    cluster: cluster(random),
    filter: 'attribute:ecs.os-type == linux and not(task:group == service:web)',
    status: 'ACTIVE',
    maxResults: 10,
  }),
  ListAttributes: (random) => ({
    cluster: cluster(random),
    targetType: 'container-instance',
    attributeName: 'stack',
    maxResults: 10,
  }),
  TagResource: (random) => ({ resourceArn: clusterArn(random), tags }),
  UntagResource: (random) => ({ resourceArn: clusterArn(random), tagKeys: ['team'] }),
  ListTagsForResource: (random) => ({ resourceArn: clusterArn(random) }),
  PutAccountSetting: () => ({ name: 'containerInsights', value: 'enabled' }),
  PutAccountSettingDefault: () => ({ name: 'taskLongArnFormat', value: 'enabled' }),
  ListAccountSettings: () => ({ effectiveSettings: true, maxResults: 4 }),
}
