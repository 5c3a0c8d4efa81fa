import {
  CreateServiceCommand,
  DescribeServicesCommand,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs'
import type { ExplainServiceAnswer } from '@berth/control-plane/api/berth/explain-service.ts'
import type { PlanTasksAnswer } from '@berth/control-plane/api/berth/plan-tasks.ts'
import type { ServiceHistoryAnswer } from '@berth/control-plane/api/berth/service-history.ts'
import { beforeAll, describe, expect, it } from 'vitest'
import { clusterForTests } from './cluster-in-test.ts'
import { eventually } from './eventually.ts'
import { sleeperImage } from './test-images.ts'

describe('a cluster that is asked why, what if and where the time went', () => {
  const under = clusterForTests({ hosts: 3, cpu: 1024, memoryMib: 1024, environment: { BERTH_SETTLE_TIME: '0s' } })
  const client = () => under.current.client
  const asked = async <Answer>(...args: readonly string[]): Promise<Answer> =>
    JSON.parse(await under.current.berth(...args, '--json')) as Answer
  const register = async (family: string, cpu: number) =>
    client().send(
      new RegisterTaskDefinitionCommand({
        family,
        networkMode: 'none',
        containerDefinitions: [{ name: 'app', image: sleeperImage, cpu, memory: 64 }],
      }),
    )
  const completed = () =>
    eventually('the deployment completes', async () => {
      const { services } = await client().send(new DescribeServicesCommand({ services: ['shop'] }))
      return services?.[0]?.deployments?.[0]?.rolloutState === 'COMPLETED' || undefined
    })

  beforeAll(async () => {
    await register('web', 256)
    await register('big', 1000)
    await client().send(
      new CreateServiceCommand({ serviceName: 'shop', taskDefinition: 'web', desiredCount: 6, launchType: 'EC2' }),
    )
    await completed()
  })

  it('says why a task is on its host', async () => {
    const { tasks } = await asked<ExplainServiceAnswer>('explain', 'shop')
    expect(tasks).toHaveLength(6)
    const explained = await under.current.berth('explain', tasks[0]?.taskId ?? '')
    expect(explained).toMatch(/is RUNNING, on host-\d in zone /)
    expect(explained).toContain('3 hosts were considered; all could take it.')
    expect(explained).toMatch(/its zone \S+ had the fewest tasks of service:shop: \d/)
  })

  it('says the same of what finds no room to RunTask, to events and to berth explain', async () => {
    const { failures } = await client().send(new RunTaskCommand({ taskDefinition: 'big', launchType: 'EC2' }))
    expect(failures?.map(({ detail }) => detail)).toEqual(Array.from({ length: 3 }, () => 'cpu: needs 1000, has 512'))

    await client().send(new UpdateServiceCommand({ service: 'shop', desiredCount: 13 }))
    const explained = await eventually('one task waits', async () => {
      const text = await under.current.berth('explain', 'shop')
      return text.includes('1 task waits for room.') ? text : undefined
    })
    expect(explained).toContain('Of 3 hosts none can take one more. They are:\n  3 without enough CPU\n')
    expect(explained).toMatch(/^ {2}host-1: cpu: needs 256, has 0$/m)
    const { services } = await client().send(new DescribeServicesCommand({ services: ['shop'] }))
    expect(services?.[0]?.events?.map(({ message }) => message).join('\n')).toContain('cpu: needs 256, has 0')
    await client().send(new UpdateServiceCommand({ service: 'shop', desiredCount: 6 }))
  })

  it('plans without changing anything, with an exit code for CI', async () => {
    await eventually('the service is small again', async () => {
      const { total } = await asked<PlanTasksAnswer>('plan', '--task-definition', 'web')
      return total.before.tasks === 6 || undefined
    })
    const bigTasks = ['plan', '--task-definition', 'big', '--count', '2']
    const crowded = await under.current.tryBerth(...bigTasks)
    expect(crowded).toMatchObject({ code: 3 })
    expect(crowded.stdout).toMatch(/^ {2}host-1: cpu: needs 1000, has 512$/m)
    const grown = await under.current.tryBerth(...bigTasks, '--add-host', 'cpu=1024,memory=1024,count=2')
    expect(grown).toMatchObject({ code: 0 })
    expect(grown.stdout).toMatch(/^new-2 \(added\) /m)
    const smaller = await asked<PlanTasksAnswer>('plan', '--without-host', 'host-1')
    expect(smaller).toMatchObject({ fits: true, displaced: { tasks: 2, placed: 2 }, total: { after: { tasks: 6 } } })
    expect((await under.current.tryBerth('plan', '--without-host', 'host-9')).code).toBe(1)
  })

  it('remembers where the seconds of a deployment went, also after the control plane was killed', async () => {
    await register('web', 128)
    await client().send(new UpdateServiceCommand({ service: 'shop', taskDefinition: 'web' }))
    await completed()
    const controlPlane = under.current.runState().processes.find(({ name }) => name === 'control-plane')
    process.kill(controlPlane?.identity?.pid ?? Number.NaN, 'SIGKILL')
    const { deployments } = await eventually('the control plane is back', async () =>
      asked<ServiceHistoryAnswer>('history', 'shop'),
    )
    expect(deployments.map(({ taskDefinition, state }) => [taskDefinition, state])).toEqual([
      ['web:2', 'COMPLETED'],
      ['web:1', 'REPLACED'],
    ])
    const texts = deployments[0]?.steps.map(({ text }) => text) ?? []
    for (const text of ['began: web:2, 6 tasks wanted', '6 tasks RUNNING', '6 tasks healthy', 'completed'])
      expect(texts).toContain(text)
    const report = await under.current.berth('history', 'shop')
    expect(report).toMatch(/^ *\d+\.\d{3} s +(\d+\.\d{3} s +)?COMPLETED +completed$/m)

    const { tasks } = await asked<ExplainServiceAnswer>('explain', 'shop')
    expect(await under.current.berth('history', tasks[0]?.taskId ?? '')).toMatch(/RUNNING +containers run$/m)
  })
})
