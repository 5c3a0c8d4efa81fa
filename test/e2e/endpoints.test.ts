import type { ContainerDefinition, Task } from '@aws-sdk/client-ecs'
import {
  CreateServiceCommand,
  DeleteServiceCommand,
  DescribeTasksCommand,
  GetTaskProtectionCommand,
  ListTasksCommand,
  type NetworkMode,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  StopTaskCommand,
} from '@aws-sdk/client-ecs'
import { describe, expect, it } from 'vitest'
import { clusterForTests } from './cluster-in-test.ts'
import { eventually } from './eventually.ts'
import { sleeperImage } from './test-images.ts'

/** What a program in a container does with the standard tools of its image: one HTTP request, whose answer it prints. */
const request = (variable: string, path: string, method = 'GET', body = ''): string[] => [
  'sh',
  '-c',
  // The end of what `nc` reads would end its half of the connection, and Node takes that for the client's leave.
  `uri=\${${variable}#http://}; place=\${uri%%/*}; { printf '${method} /%s${path} HTTP/1.0\\r\\nContent-Length: ${body.length}\\r\\n\\r\\n${body}' "\${uri#*/}"; sleep 3; } | nc -w 10 "\${place%:*}" "\${place#*:}"`,
]

/** What the tests look at of an answer. */
interface Told {
  readonly protection?: Readonly<Record<string, unknown>>
}

describe('the endpoints that containers ask', () => {
  const under = clusterForTests({ hosts: 2 })
  const client = () => under.current.client

  const definition = (family: string, networkMode: NetworkMode, container: Partial<ContainerDefinition> = {}) =>
    client().send(
      new RegisterTaskDefinitionCommand({
        family,
        networkMode,
        containerDefinitions: [{ name: 'app', image: sleeperImage, memory: 32, ...container }],
      }),
    )
  const runningTask = (taskArn: string) =>
    eventually(`${taskArn} runs`, async () => {
      const { tasks } = await client().send(new DescribeTasksCommand({ tasks: [taskArn] }))
      return tasks?.[0]?.lastStatus === 'RUNNING' ? tasks[0] : undefined
    })
  /** Runs a command in the task's container and returns the JSON that it printed. */
  async function inside(task: Task, command: string[]): Promise<Told> {
    const container = under.current.docker.getContainer(task.containers?.[0]?.runtimeId ?? '')
    const exec = await container.exec({ Cmd: command, AttachStdout: true, Tty: true })
    const stream = await exec.start({ Tty: true })
    let printed = ''
    for await (const chunk of stream) printed += String(chunk)
    return JSON.parse(printed.slice(printed.search(/(\r*\n){2}/))) as Told
  }

  it.each<NetworkMode>(['bridge', 'host', 'awsvpc'])('tell a container in network mode %s of itself', async (mode) => {
    await definition(`metadata-${mode}`, mode)
    const awsvpcConfiguration = { subnets: ['subnet-abc123'] }
    const { tasks } = await client().send(
      new RunTaskCommand({
        taskDefinition: `metadata-${mode}`,
        ...(mode === 'awsvpc' && { networkConfiguration: { awsvpcConfiguration } }),
      }),
    )
    const task = await runningTask(tasks?.[0]?.taskArn ?? '')
    const container = await inside(task, request('ECS_CONTAINER_METADATA_URI_V4', ''))
    expect(container).toMatchObject({
      DockerId: task.containers?.[0]?.runtimeId,
      ContainerARN: task.containers?.[0]?.containerArn,
      Networks: [{ NetworkMode: mode }],
    })
    const whole = await inside(task, request('ECS_CONTAINER_METADATA_URI_V4', '/task'))
    expect(whole).toMatchObject({ TaskARN: task.taskArn, KnownStatus: 'RUNNING' })
    expect(await inside(task, request('ECS_CONTAINER_METADATA_URI_V4', '/stats'))).toHaveProperty('memory_stats')
    await client().send(new StopTaskCommand({ task: task.taskArn }))
  })

  it('let a task of a service protect itself, also after its agent was started again', async () => {
    await definition('protected', 'bridge')
    await client().send(
      new CreateServiceCommand({ serviceName: 'protected', taskDefinition: 'protected', desiredCount: 1 }),
    )
    const arn = await eventually('the service has a task', async () => {
      const { taskArns } = await client().send(new ListTasksCommand({ serviceName: 'protected' }))
      return taskArns?.[0]
    })
    const task = await runningTask(arn)
    const path = '/task-protection/v1/state'
    const isProtected = async () =>
      (await client().send(new GetTaskProtectionCommand({ cluster: 'default', tasks: [arn] }))).protectedTasks?.[0]
        ?.protectionEnabled
    const answer = await inside(task, request('ECS_AGENT_URI', path, 'PUT', '{"ProtectionEnabled":true}'))
    expect(answer.protection).toMatchObject({ ProtectionEnabled: true, TaskArn: arn })
    expect(await isProtected()).toBe(true)

    for (const { name, identity } of under.current.runState().processes)
      if (name.startsWith('host-') && identity !== undefined) process.kill(identity.pid, 'SIGKILL')
    const told = await eventually('the endpoint answers again', async () => {
      try {
        return (await inside(task, request('ECS_AGENT_URI', path))).protection
      } catch {
        return undefined
      }
    })
    expect(told).toMatchObject({ ProtectionEnabled: true, TaskArn: arn })
    await inside(task, request('ECS_AGENT_URI', path, 'PUT', '{"ProtectionEnabled":false}'))
    expect(await isProtected()).toBe(false)
    await client().send(new DeleteServiceCommand({ service: 'protected', force: true }))
  })
})
