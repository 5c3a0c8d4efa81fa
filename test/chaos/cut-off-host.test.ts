import { CreateServiceCommand, RegisterTaskDefinitionCommand, RunTaskCommand, type Task } from '@aws-sdk/client-ecs'
import { expect, it } from 'vitest'
import { eventually } from '../e2e/eventually.ts'
import { containersOn, containersOnAll, viewCluster } from '../hosts/cluster-view.ts'
import { type LabHost, sleeperImage } from '../hosts/lab-host.ts'
import { describeOnLab, labForTests, quickHostLoss } from '../hosts/lab-in-test.ts'

const desiredCount = 6
/** Issue 4: what was replaced is stopped so soon after its host's return. */
const stoppedWithinMs = 15_000

const arnsOf = (all: readonly { readonly taskArn?: string | undefined }[]): string[] =>
  all.map(({ taskArn = '' }) => taskArn).toSorted()

describeOnLab('three hosts with an engine and an address each, one of which is cut off', () => {
  const under = labForTests({ hosts: 3, controlPlane: quickHostLoss })
  const client = () => under.current.client()
  const cutOff = () => under.current.hosts[1] as LabHost

  const runningTasks = async (): Promise<readonly Task[]> =>
    (await viewCluster(client())).tasks.filter(({ lastStatus }) => lastStatus === 'RUNNING')
  const runningOn = async (host: LabHost) => (await containersOn(host)).filter(({ running }) => running)

  it('is given its share of a service', async () => {
    await client().send(
      new RegisterTaskDefinitionCommand({
        family: 'sleeper',
        containerDefinitions: [{ name: 'sleeper', image: sleeperImage, cpu: 64, memory: 32 }],
      }),
    )
    await client().send(
      new CreateServiceCommand({
        serviceName: 'web',
        taskDefinition: 'sleeper',
        desiredCount,
        placementStrategy: [{ type: 'spread', field: 'instanceId' }],
      }),
    )
    await client().send(
      new RunTaskCommand({
        taskDefinition: 'sleeper',
        count: 3,
        placementStrategy: [{ type: 'spread', field: 'instanceId' }],
      }),
    )
    await eventually('all run', async () => ((await runningTasks()).length === desiredCount + 3 ? true : undefined))
    for (const host of under.current.hosts) expect(await runningOn(host)).toHaveLength(3)
  })

  it('has its tasks stopped by name and those of the service replaced, and runs them on until it is told', async () => {
    const before = await runningOn(cutOff())
    await cutOff().network.unplug()
    const gone = new Set(before.map(({ taskArn }) => taskArn))
    await eventually('its tasks have ended, and the service has as many as it wants elsewhere', async () => {
      const { tasks } = await viewCluster(client())
      const ended = tasks.filter(({ taskArn = '' }) => gone.has(taskArn))
      const served = tasks.filter(({ group, lastStatus }) => group === 'service:web' && lastStatus === 'RUNNING')
      expect(ended.map(({ lastStatus }) => lastStatus)).toEqual(['STOPPED', 'STOPPED', 'STOPPED'])
      expect(ended.every(({ stoppedReason = '' }) => stoppedReason !== '')).toBe(true)
      expect(served).toHaveLength(desiredCount)
      return true
    })
    expect((await runningOn(cutOff())).map(({ pid }) => pid)).toEqual(before.map(({ pid }) => pid))
  })

  it('is rid of the doubles soon after its return, and nothing else has changed', async () => {
    const elsewhere = under.current.hosts.filter((host) => host !== cutOff())
    const kept = (await containersOnAll(elsewhere)).filter(({ running }) => running).map(({ id }) => id)
    await cutOff().network.plugIn()
    await eventually(
      'nothing runs on it',
      async () => ((await runningOn(cutOff())).length === 0 ? true : undefined),
      stoppedWithinMs,
    )

    const running = await runningTasks()
    expect(running.filter(({ group }) => group === 'service:web')).toHaveLength(desiredCount)
    const containers = (await containersOnAll(under.current.hosts)).filter((each) => each.running)
    expect(arnsOf(containers)).toEqual(arnsOf(running))
    expect(containers.map(({ id }) => id)).toEqual(expect.arrayContaining(kept))
    const { hosts } = await viewCluster(client())
    expect(hosts.map(({ agentConnected }) => agentConnected)).toEqual([true, true, true])
  })

  it.each(['in', 'out'] as const)(
    'is lost, and returns, when its packets are dropped one way: %s',
    async (direction) => {
      await cutOff().network.drop(direction)
      const connected = async () =>
        (await viewCluster(client())).hosts.filter(({ agentConnected }) => agentConnected).length
      await eventually('it is not connected', async () => ((await connected()) === 2 ? true : undefined))
      await cutOff().network.heal()
      await eventually('it is connected', async () => ((await connected()) === 3 ? true : undefined))
    },
  )
})
