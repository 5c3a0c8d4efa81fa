/**
 * Settings of Amazon's agent that Berth's cannot honour. `refuse` is for those that a task or an operator relies on, unless
 * the value asks for nothing; `warn` for those whose absence only has to be known.
 */
export interface EcsSettingNotHonoured {
  readonly name: string
  readonly verdict: 'warn' | 'refuse'
  /** Continues the sentence "... is not honoured: ". */
  readonly why: string
}

const noCredentials = 'tasks are not given the credentials of a role yet'
const ownLog = 'the agent writes its log as JSON lines to standard output'
const noMetrics = 'metrics are not collected'
const noUpdates = 'the agent is updated by the package manager'
const alwaysSo = 'it is always so'
const noEc2 = 'it belongs to EC2'

export const ecsSettingsNotHonoured: readonly EcsSettingNotHonoured[] = [
  { name: 'ECS_AWSVPC_BLOCK_IMDS', verdict: 'refuse', why: 'packets of tasks are not filtered' },
  {
    name: 'ECS_ENABLE_UNTRACKED_IMAGE_CLEANUP',
    verdict: 'refuse',
    why: 'only images that the agent pulled are removed',
  },
  { name: 'ECS_ENABLE_TASK_IAM_ROLE', verdict: 'warn', why: noCredentials },
  { name: 'ECS_ENABLE_TASK_IAM_ROLE_NETWORK_HOST', verdict: 'warn', why: noCredentials },
  { name: 'ECS_ENABLE_AWSLOGS_EXECUTIONROLE_OVERRIDE', verdict: 'warn', why: noCredentials },
  { name: 'ECS_BACKEND_HOST', verdict: 'warn', why: 'the control plane is named by BERTH_SERVER' },
  { name: 'ECS_CHECKPOINT', verdict: 'warn', why: alwaysSo },
  { name: 'ECS_ENABLE_TASK_ENI', verdict: 'warn', why: alwaysSo },
  { name: 'ECS_ENABLE_GPU_SUPPORT', verdict: 'warn', why: 'GPUs are offered wherever there are any' },
  { name: 'ECS_ENABLE_CONTAINER_METADATA', verdict: 'warn', why: 'the metadata file is not written' },
  { name: 'ECS_HOST_DATA_DIR', verdict: 'warn', why: 'the agent does not run in a container of its own' },
  { name: 'ECS_CONTAINER_INSTANCE_TAGS', verdict: 'warn', why: 'tag the container instance with TagResource' },
  { name: 'ECS_CONTAINER_INSTANCE_PROPAGATE_TAGS_FROM', verdict: 'warn', why: noEc2 },
  { name: 'ECS_ENABLE_SPOT_INSTANCE_DRAINING', verdict: 'warn', why: noEc2 },
  { name: 'ECS_WARM_POOLS_CHECK', verdict: 'warn', why: noEc2 },
  { name: 'ECS_EXTERNAL', verdict: 'warn', why: noEc2 },
  { name: 'ECS_AWSVPC_ADDITIONAL_LOCAL_ROUTES', verdict: 'warn', why: noEc2 },
  { name: 'ECS_SHARED_VOLUME_MATCH_FULL_CONFIG', verdict: 'warn', why: 'shared volumes are matched by name' },
  {
    name: 'ECS_PULL_DEPENDENT_CONTAINERS_UPFRONT',
    verdict: 'warn',
    why: 'images are pulled when their container is due',
  },
  { name: 'ECS_IMAGE_PULL_TIMEOUT', verdict: 'warn', why: 'a pull may take 2 h' },
  { name: 'ECS_TASK_METADATA_RPS_LIMIT', verdict: 'warn', why: 'task metadata is not limited' },
  { name: 'ECS_EXCLUDE_IPV6_PORTBINDING', verdict: 'warn', why: 'ports are bound on the one address of the host' },
  { name: 'ECS_ALLOW_OFFHOST_INTROSPECTION_ACCESS', verdict: 'warn', why: 'introspection is served on 127.0.0.1 only' },
  {
    name: 'ECS_OFFHOST_INTROSPECTION_INTERFACE_NAME',
    verdict: 'warn',
    why: 'introspection is served on 127.0.0.1 only',
  },
  { name: 'ECS_SKIP_LOCALHOST_TRAFFIC_FILTER', verdict: 'warn', why: 'packets of tasks are not filtered' },
  { name: 'ECS_DISABLE_METRICS', verdict: 'warn', why: noMetrics },
  { name: 'ECS_POLL_METRICS', verdict: 'warn', why: noMetrics },
  { name: 'ECS_POLLING_METRICS_WAIT_DURATION', verdict: 'warn', why: noMetrics },
  { name: 'ECS_DISABLE_DOCKER_HEALTH_CHECK', verdict: 'warn', why: 'health checks are always reported' },
  { name: 'ECS_LOGFILE', verdict: 'warn', why: ownLog },
  { name: 'ECS_LOGLEVEL_ON_INSTANCE', verdict: 'warn', why: ownLog },
  { name: 'ECS_LOG_DRIVER', verdict: 'warn', why: ownLog },
  { name: 'ECS_LOG_OPTS', verdict: 'warn', why: ownLog },
  { name: 'ECS_LOG_OUTPUT_FORMAT', verdict: 'warn', why: ownLog },
  { name: 'ECS_LOG_ROLLOVER_TYPE', verdict: 'warn', why: ownLog },
  { name: 'ECS_LOG_MAX_FILE_SIZE_MB', verdict: 'warn', why: ownLog },
  { name: 'ECS_LOG_MAX_ROLL_COUNT', verdict: 'warn', why: ownLog },
  { name: 'ECS_UPDATES_ENABLED', verdict: 'warn', why: noUpdates },
  { name: 'ECS_UPDATE_DOWNLOAD_DIR', verdict: 'warn', why: noUpdates },
]
