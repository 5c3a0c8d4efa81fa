import {
  CreateServiceCommand,
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  RegisterTaskDefinitionCommand,
  type Service,
} from '@aws-sdk/client-ecs'
import type { DeployResult } from '@berth/cli/deploy/deploy-report.ts'
import { beforeAll, describe, expect, it } from 'vitest'
import { clusterForTests } from './cluster-in-test.ts'
import { eventually } from './eventually.ts'
import { absentImage, sleeperImage, webImage } from './test-images.ts'

describe('berth deploy', () => {
  const under = clusterForTests({
    hosts: 3,
    cpu: 1024,
    memoryMib: 512,
    environment: { BERTH_SETTLE_TIME: '0s', ECS_CONTAINER_STOP_TIMEOUT: '2s' },
  })
  const client = () => under.current.client
  const deploy = (...args: readonly string[]) => under.current.tryBerth('deploy', ...args)
  const serviceNamed = async (name: string): Promise<Service> => {
    const { services } = await client().send(new DescribeServicesCommand({ services: [name] }))
    if (services?.[0] === undefined) throw new Error(`there is no service ${name}`)
    return services[0]
  }
  const create = async (name: string, count: number, cpu: number) => {
    await client().send(
      new RegisterTaskDefinitionCommand({
        family: name,
        networkMode: 'none',
        containerDefinitions: [
          { name: 'app', image: sleeperImage, cpu, memory: 16, environment: [{ name: 'KEPT', value: 'yes' }] },
          { name: 'beside', image: sleeperImage, memory: 16, essential: false },
        ],
        tags: [{ key: 'team', value: 'shop' }],
      }),
    )
    await client().send(
      new CreateServiceCommand({
        serviceName: name,
        taskDefinition: name,
        desiredCount: count,
        launchType: 'EC2',
        deploymentConfiguration: { deploymentCircuitBreaker: { enable: true, rollback: true } },
      }),
    )
    await eventually(`${name} is deployed`, async () =>
      (await serviceNamed(name)).deployments?.[0]?.rolloutState === 'COMPLETED' ? true : undefined,
    )
  }

  beforeAll(async () => {
    await create('shop', 3, 64)
    await create('wide', 3, 640)
  })

  it('registers the image, and waits until the service runs it', async () => {
    const deployed = await deploy('shop', '--image', webImage, '--wait')
    expect(deployed).toMatchObject({ code: 0 })
    expect(deployed.stdout).toMatch(new RegExp(`^shop runs shop:2 with ${webImage}: 3 tasks, after [0-9.]+ s\\.\n$`))
    expect(deployed.stderr).toContain(`shop:2 is shop:1 with ${webImage} in app (before: ${sleeperImage}).\n`)
    expect(deployed.stderr).toMatch(/^ *[0-9.]+ s {2}shop:2: 3 of 3 running/m)

    const service = await serviceNamed('shop')
    expect(service).toMatchObject({ runningCount: 3, deployments: [{ rolloutState: 'COMPLETED' }] })
    const { taskDefinition, tags } = await client().send(
      new DescribeTaskDefinitionCommand({ taskDefinition: service.taskDefinition, include: ['TAGS'] }),
    )
    expect(taskDefinition?.containerDefinitions).toMatchObject([
      { name: 'app', image: webImage, cpu: 64, environment: [{ name: 'KEPT', value: 'yes' }] },
      { name: 'beside', image: sleeperImage },
    ])
    expect(tags).toEqual([{ key: 'team', value: 'shop' }])
  })

  it('ends with the reason when the circuit breaker has taken the service back', async () => {
    const failed = await deploy('shop', '--image', absentImage, '--wait', '--json')
    expect(failed).toMatchObject({ code: 1 })
    const result = JSON.parse(failed.stdout) as DeployResult
    expect(result).toMatchObject({ service: 'shop', status: 'ROLLBACK_SUCCESSFUL', timedOut: false })
    expect(result.reason).toMatch(/^ECS deployment circuit breaker: rolling back to deploymentId ecs-svc\//)
    expect(result.failedTasks?.length).toBeGreaterThanOrEqual(3)
    expect(result.failedTasks?.[0]?.containers[0]).toMatchObject({
      name: 'app',
      reason: expect.stringMatching(/^CannotPullContainerError: /),
    })
    expect(failed.stderr).toMatch(/ s {2}task [0-9a-f]{32} failed \(the circuit breaker trips at 3\): app: Cannot/)
    const { taskDefinition, runningCount } = await serviceNamed('shop')
    expect([taskDefinition?.split('/').at(-1), runningCount]).toEqual(['shop:2', 3])

    const told = await deploy('shop', '--image', absentImage, '--wait')
    expect(told).toMatchObject({ code: 1, stdout: '' })
    expect(told.stderr).toMatch(/^The deployment of shop:4 failed and was rolled back to shop:2, after /m)
    expect(told.stderr).toMatch(/^ {2}\d tasks, such as [0-9a-f]{32}: app: CannotPullContainerError: /m)
    expect(await under.current.berth('history', 'shop')).toMatch(/FAILED +failed$/m)
  })

  it('says which hosts come closest when the new tasks find no room', async () => {
    const crowded = await deploy('wide', '--image', webImage, '--container', 'app', '--wait', '--timeout', '5s')
    expect(crowded).toMatchObject({ code: 1, stdout: '' })
    expect(crowded.stderr).toMatch(/^The deployment of wide:2 has not ended after 5\.\d s\.$/m)
    expect(crowded.stderr).toContain('  3 tasks wait for room.\n  Of 3 hosts none can take one more.')
    expect(crowded.stderr).toMatch(/^ {4}host-1: cpu: needs 640, has \d+$/m)
    expect(crowded.stderr).toContain('It goes on. wide:2: 0 of 3 running; wide:1: 3 running.')
  })

  it('refuses what it cannot deploy before it registers anything', async () => {
    expect((await deploy('nobody', '--image', webImage)).stderr).toContain('There is no service nobody')
    const unnamed = await deploy('shop', '--image', webImage, '--container', 'db')
    expect(unnamed).toMatchObject({ code: 1 })
    expect(unnamed.stderr).toContain('There is no container db: there is app, beside.')
  })
})
