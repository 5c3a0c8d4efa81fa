import {
  type ContainerDefinition,
  DescribeTasksCommand,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  StopTaskCommand,
  type Task,
  type Volume,
} from '@aws-sdk/client-ecs'
import { describe, expect, it } from 'vitest'
import { clusterForTests } from './cluster-in-test.ts'
import { eventually } from './eventually.ts'
import { sleeperImage } from './test-images.ts'

describe('what a container is made with', () => {
  const under = clusterForTests({ hosts: 1 })
  const client = () => under.current.client

  /** Runs a task of one container, with a script in it, and returns it once `has` holds. */
  async function run(
    family: string,
    container: ContainerDefinition,
    has: (task: Task) => boolean,
    volumes: Volume[] = [],
    withinMs = 60_000,
  ): Promise<Task> {
    const containerDefinitions = [{ name: 'app', image: sleeperImage, memory: 64, ...container }]
    await client().send(new RegisterTaskDefinitionCommand({ family, containerDefinitions, volumes }))
    const { tasks } = await client().send(new RunTaskCommand({ taskDefinition: family }))
    return eventually(
      `the task of ${family} is as it must be`,
      async () => {
        const described = await client().send(new DescribeTasksCommand({ tasks: [tasks?.[0]?.taskArn ?? ''] }))
        const [task] = described.tasks ?? []
        return task !== undefined && has(task) ? task : undefined
      },
      withinMs,
    )
  }
  const isStopped = ({ lastStatus }: Task) => lastStatus === 'STOPPED'

  /** Conditions that are to hold inside; the exit code is the number of the first that does not. */
  const all = (...conditions: readonly string[]): string[] => [
    'sh',
    '-c',
    `${conditions.map((condition, index) => `{ ${condition}; } || exit ${index + 1}`).join('\n')}\nexit 0`,
  ]

  it('is what its definition says, seen from inside', async () => {
    const task = await run(
      'fields',
      {
        hostname: 'named',
        user: '1000:1000',
        workingDirectory: '/srv',
        environment: [{ name: 'WORD', value: 'a b=c' }],
        ulimits: [{ name: 'nofile', softLimit: 123, hardLimit: 456 }],
        systemControls: [{ namespace: 'net.ipv4.ip_unprivileged_port_start', value: '99' }],
        linuxParameters: {
          initProcessEnabled: true,
          sharedMemorySize: 8,
          tmpfs: [{ containerPath: '/fast', size: 2, mountOptions: ['noexec'] }],
          devices: [{ hostPath: '/dev/null', containerPath: '/dev/nothing', permissions: ['read', 'write'] }],
          capabilities: { drop: ['ALL'] },
        },
        extraHosts: [{ hostname: 'elsewhere', ipAddress: '10.9.8.7' }],
        dnsSearchDomains: ['example.test'],
        readonlyRootFilesystem: true,
        pseudoTerminal: true,
        mountPoints: [{ sourceVolume: 'data', containerPath: '/data', readOnly: true }],
        command: all(
          '[ "$(hostname)" = named ]',
          '[ "$(id -u):$(id -g)" = 1000:1000 ]',
          '[ "$(pwd)" = /srv ]',
          '[ "$WORD" = "a b=c" ]',
          '[ "$(ulimit -Sn) $(ulimit -Hn)" = "123 456" ]',
          '[ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" = 99 ]',
          'grep -q init /proc/1/comm',
          'grep " /dev/shm " /proc/mounts | grep -q size=8192k',
          'grep " /fast " /proc/mounts | grep size=2048k | grep -q noexec',
          'echo x > /dev/nothing',
          'grep -q "CapBnd:.*0000000000000000" /proc/self/status',
          'grep elsewhere /etc/hosts | grep -q 10.9.8.7',
          'grep -q "search example.test" /etc/resolv.conf',
          '! touch /tmp/x 2>/dev/null',
          '! touch /data/x 2>/dev/null',
          '[ -t 1 ]',
          '[ "$AWS_EXECUTION_ENV" = AWS_ECS_EC2 ]',
        ),
      },
      isStopped,
      [{ name: 'data', dockerVolumeConfiguration: { scope: 'task', driver: 'local', labels: { of: 'this-test' } } }],
    )
    expect(task.containers?.[0]).toMatchObject({ exitCode: 0 })
  })

  it('is what its definition says, as the engine tells', async () => {
    const inspected = async (family: string, container: ContainerDefinition, volumes: Volume[] = []) => {
      const task = await run(family, container, ({ lastStatus }) => lastStatus === 'RUNNING', volumes)
      await client().send(new StopTaskCommand({ task: task.taskArn }))
      return under.current.docker.getContainer(task.containers?.[0]?.runtimeId ?? '').inspect()
    }
    const { Config, HostConfig, NetworkSettings } = await inspected(
      'engine',
      {
        entryPoint: ['sh', '-c'],
        command: ['trap "exit 0" TERM; sleep 600 & wait'],
        cpu: 128,
        memoryReservation: 32,
        interactive: true,
        dnsServers: ['10.1.1.1'],
        dockerSecurityOptions: ['apparmor:unconfined'],
        dockerLabels: { team: 'blue' },
        logConfiguration: { logDriver: 'json-file', options: { 'max-size': '1m' } },
        linuxParameters: { capabilities: { add: ['NET_ADMIN'] } },
        healthCheck: { command: ['CMD', 'true'], interval: 6, timeout: 4, retries: 2, startPeriod: 7 },
        mountPoints: [{ sourceVolume: 'fast', containerPath: '/fast' }],
      },
      [
        {
          name: 'fast',
          dockerVolumeConfiguration: {
            scope: 'task',
            driver: 'local',
            driverOpts: { type: 'tmpfs', device: 'tmpfs', o: 'size=4m' },
          },
        },
      ],
    )
    const second = 1_000_000_000
    expect(Config).toMatchObject({
      Entrypoint: ['sh', '-c'],
      Cmd: ['trap "exit 0" TERM; sleep 600 & wait'],
      OpenStdin: true,
      Labels: { team: 'blue' },
      Healthcheck: {
        Test: ['CMD', 'true'],
        Interval: 6 * second,
        Timeout: 4 * second,
        Retries: 2,
        StartPeriod: 7 * second,
      },
    })
    expect(HostConfig).toMatchObject({
      CpuShares: 128,
      Memory: 64 * 1024 * 1024,
      MemoryReservation: 32 * 1024 * 1024,
      Dns: ['10.1.1.1'],
      SecurityOpt: expect.arrayContaining(['apparmor:unconfined']) as string[],
      CapAdd: expect.arrayContaining([expect.stringContaining('NET_ADMIN')]) as string[],
      LogConfig: { Type: 'json-file', Config: { 'max-size': '1m' } },
    })
    expect(Object.keys(NetworkSettings.Networks)).toEqual(['bridge'])

    const alone = await inspected('alone', {
      disableNetworking: true,
      linuxParameters: { maxSwap: 16, swappiness: 10 },
      stopTimeout: 2,
    })
    expect(alone.HostConfig).toMatchObject({ NetworkMode: 'none', MemorySwappiness: 10, MemorySwap: 80 * 1024 * 1024 })
  })

  it('links to another of its task by name, takes its volumes, and sees its processes', async () => {
    const written = await client().send(
      new RegisterTaskDefinitionCommand({
        family: 'linked',
        pidMode: 'task',
        volumes: [{ name: 'shared' }],
        containerDefinitions: [
          {
            name: 'giver',
            image: sleeperImage,
            memory: 32,
            mountPoints: [{ sourceVolume: 'shared', containerPath: '/shared' }],
            command: ['sh', '-c', 'echo word > /shared/word; trap "exit 0" TERM; sleep 600 & wait'],
          },
          {
            name: 'app',
            image: sleeperImage,
            memory: 32,
            links: ['giver:other'],
            volumesFrom: [{ sourceContainer: 'giver', readOnly: true }],
            dependsOn: [{ containerName: 'giver', condition: 'START' }],
            startTimeout: 60,
            command: all(
              'grep -q other /etc/hosts',
              'until [ "$(cat /shared/word)" = word ]; do sleep 1; done',
              '! touch /shared/x 2>/dev/null',
              'cat /proc/[0-9]*/comm | grep -q sleep',
            ),
          },
        ],
      }),
    )
    expect(written.taskDefinition?.pidMode).toBe('task')
    const { tasks } = await client().send(new RunTaskCommand({ taskDefinition: 'linked' }))
    const task = await eventually('the task of linked is over', async () => {
      const described = await client().send(new DescribeTasksCommand({ tasks: [tasks?.[0]?.taskArn ?? ''] }))
      return described.tasks?.find(isStopped)
    })
    expect(task.containers?.find(({ name }) => name === 'app')).toMatchObject({ exitCode: 0 })
  })

  it('is started again by its restart policy in the same task, until it ends as it may', async () => {
    const task = await run(
      'restarts',
      {
        restartPolicy: { enabled: true, restartAttemptPeriod: 60, ignoredExitCodes: [7] },
        stopTimeout: 2,
        // The first run lasts as long as a run must for another one; the second ends with a code that is no reason to.
        command: all('[ -f /ran ] || { : > /ran; sleep 62; exit 1; }', 'exit 7'),
      },
      isStopped,
      [],
      180_000,
    )
    expect(task.containers?.[0]).toMatchObject({ exitCode: 7 })
    const ran = (task.stoppedAt?.getTime() ?? 0) - (task.startedAt?.getTime() ?? 0)
    expect(ran).toBeGreaterThan(60_000)
  })

  it('has an answer for what it cannot have', async () => {
    for (const [container, words] of [
      [{ firelensConfiguration: { type: 'fluentbit' } }, 'firelensConfiguration is not supported by Berth'],
      [{ credentialSpecs: ['credentialspec:x'] }, 'credentialSpecs is not supported by Berth'],
    ] as const)
      await expect(run('refused', container as ContainerDefinition, isStopped)).rejects.toThrow(words)
  })

  it('shares a volume with later tasks where its scope says so', async () => {
    const isRunning = ({ lastStatus }: Task) => lastStatus === 'RUNNING'
    const shared: Volume = {
      name: 'kept',
      dockerVolumeConfiguration: { scope: 'shared', autoprovision: true, driver: 'local' },
    }
    const name = `berth-test-${process.pid}`
    const volumes = [{ ...shared, name }]
    const mountPoints = [{ sourceVolume: name, containerPath: '/kept' }]
    const first = await run(
      'writes',
      { mountPoints, command: all('echo word > /kept/word', 'exec sleep 600'), stopTimeout: 2 },
      isRunning,
      volumes,
    )
    await client().send(new StopTaskCommand({ task: first.taskArn }))
    try {
      const reads = { mountPoints, command: all('until [ "$(cat /kept/word)" = word ]; do sleep 1; done') }
      const second = await run('reads', reads, isStopped, volumes)
      expect(second.containers?.[0]?.exitCode).toBe(0)
    } finally {
      await client().send(new StopTaskCommand({ task: first.taskArn }))
      await eventually('the volume is gone', async () => {
        const containers = await under.current.docker.listContainers({ all: true, filters: { volume: [name] } })
        await Promise.all(containers.map(({ Id }) => under.current.docker.getContainer(Id).remove({ force: true })))
        return under.current.docker
          .getVolume(name)
          .remove()
          .then(() => true as const)
          .catch(() => undefined)
      })
    }
  })
})
