import type { Clock } from '@berth/shared/clock.ts'
import type { Log } from '@berth/shared/log.ts'
import { type Random, randomUuid } from '@berth/shared/random.ts'
import { z } from 'zod'
import type { ContainerState, TaskState } from '../engine/task-state.ts'
import { containerEndpointId } from './endpoint-address.ts'
import { containerMetadata, introspectedTask, ownContainers, taskMetadata } from './task-metadata.ts'
import type { ProtectionChange, TaskProtectionSource } from './task-protection.ts'

/** What the endpoints speak of. */
export interface EndpointSubject {
  tasks(): readonly TaskState[]
  /** What Docker counts of a container now. */
  stats(runtimeId: string, signal: AbortSignal): Promise<unknown>
  readonly protection: TaskProtectionSource
  /** The cluster by name, the container instance's ARN (empty before it joined) and the agent's version. */
  host(): { readonly cluster: string; readonly containerInstanceArn: string; readonly version: string }
}

export interface EndpointDeps {
  readonly subject: EndpointSubject
  /** What the ids of containers are made from. */
  readonly key: string
  readonly zone: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

export interface EndpointRequest {
  readonly method: string
  /** As in the request's first line. */
  readonly url: string
  readonly body: string
}

export interface EndpointAnswer {
  readonly status: number
  readonly body: unknown
}

/** How long a container waits for the control plane's word, in ms. ECS's agent gives up after 4 s. */
const protectionTimeoutMs = 4_000

const notFound = (what: string): EndpointAnswer => ({ status: 404, body: what })

/** Answers what a container asks of its agent, by an id that only it has. */
export async function answerContainer(
  request: EndpointRequest,
  deps: EndpointDeps,
  signal: AbortSignal,
): Promise<EndpointAnswer> {
  const [, kind = '', id = '', rest = ''] =
    /^\/(v3|v4|api)\/([0-9a-f]{32})(?:\/(.*?))?\/?$/.exec(pathOf(request.url)) ?? []
  const found = id === '' ? undefined : findContainer(id, deps)
  if (found === undefined) return notFound('unable to get the container: no container has this id')
  if (kind === 'api') return answerApi(request, rest, found.task, deps, signal)
  if (request.method !== 'GET') return { status: 405, body: 'only GET is served here' }
  return answerMetadata(rest, found, deps, signal)
}

interface Found {
  readonly task: TaskState
  readonly container: ContainerState
}

function findContainer(id: string, { subject, key }: EndpointDeps): Found | undefined {
  for (const task of subject.tasks())
    for (const container of ownContainers(task))
      if (containerEndpointId(key, task.assignment.taskArn, container.name) === id) return { task, container }
  return undefined
}

async function answerMetadata(
  path: string,
  { task, container }: Found,
  { subject, zone }: EndpointDeps,
  signal: AbortSignal,
): Promise<EndpointAnswer> {
  const statsOf = ({ runtimeId, alive }: ContainerState): Promise<unknown> =>
    alive ? subject.stats(runtimeId, signal).catch(() => null) : Promise.resolve(null)
  switch (path) {
    case '':
      return { status: 200, body: containerMetadata(task, container) }
    case 'task':
      return { status: 200, body: taskMetadata(task, zone) }
    case 'stats':
      return { status: 200, body: await statsOf(container) }
    case 'task/stats': {
      const all = ownContainers(task).filter(({ runtimeId }) => runtimeId !== '')
      const stats = await Promise.all(all.map(async (each) => [each.runtimeId, await statsOf(each)] as const))
      return { status: 200, body: Object.fromEntries(stats) }
    }
    default:
      return notFound(`there is no ${path} here`)
  }
}

const protectionRequest = z.strictObject({
  ProtectionEnabled: z.boolean(),
  ExpiresInMinutes: z.int().min(1).max(2880).optional(),
})

/** In the words of ECS's agent (ECS developer guide, "Task scale-in protection endpoint"). */
async function answerApi(
  { method, body }: EndpointRequest,
  path: string,
  { assignment: { taskArn } }: TaskState,
  { subject, clock, random }: EndpointDeps,
  signal: AbortSignal,
): Promise<EndpointAnswer> {
  if (path !== 'task-protection/v1/state') return notFound(`there is no ${path} here`)
  const failed = (status: number, code: string, message: string): EndpointAnswer => ({
    status,
    body: { requestID: randomUuid(random), error: { Arn: taskArn, Code: code, Message: message } },
  })
  if (method !== 'GET' && method !== 'PUT')
    return failed(405, 'InvalidParameterException', 'Only GET and PUT are served.')
  const change = method === 'PUT' ? changeOf(body) : undefined
  if (change === 'invalid')
    return failed(400, 'InvalidParameterException', 'UpdateTaskProtection: failed to decode request')
  const tooLate = new AbortController()
  const cancel = clock.after(protectionTimeoutMs, () => tooLate.abort(new Error('the control plane does not answer')))
  try {
    const either = AbortSignal.any([signal, tooLate.signal])
    const { enabled, expiresAt, failure } = await subject.protection.protection(taskArn, change, either)
    if (failure !== '')
      return {
        status: 200,
        body: { requestID: randomUuid(random), failure: { Arn: taskArn, Detail: null, Reason: failure } },
      }
    const ExpirationDate = enabled ? { ExpirationDate: new Date(expiresAt).toISOString() } : {}
    return { status: 200, body: { protection: { ...ExpirationDate, ProtectionEnabled: enabled, TaskArn: taskArn } } }
  } catch (error) {
    return tooLate.signal.aborted
      ? failed(504, 'RequestCanceled', 'Timed out calling ECS Task Protection API')
      : failed(400, 'InvalidParameterException', (error as Error).message)
  } finally {
    cancel()
  }
}

function changeOf(body: string): ProtectionChange | 'invalid' {
  let json: unknown
  try {
    json = JSON.parse(body)
  } catch {
    return 'invalid'
  }
  const { data } = protectionRequest.safeParse(json)
  return data === undefined
    ? 'invalid'
    : { enabled: data.ProtectionEnabled, expiresInMinutes: data.ExpiresInMinutes ?? 0 }
}

/** Answers what somebody on the host asks of the agent: it names no secrets and takes no changes. */
export function answerIntrospection({ method, url }: EndpointRequest, { subject }: EndpointDeps): EndpointAnswer {
  if (method !== 'GET') return { status: 405, body: 'only GET is served here' }
  const query = new URLSearchParams(url.split('?')[1] ?? '')
  switch (pathOf(url)) {
    case '/':
      return { status: 200, body: { AvailableCommands: ['/v1/metadata', '/v1/tasks'] } }
    case '/v1/metadata': {
      const { cluster, containerInstanceArn, version } = subject.host()
      return {
        status: 200,
        body: {
          Cluster: cluster,
          ContainerInstanceArn: containerInstanceArn || null,
          Version: `Berth agent - v${version}`,
        },
      }
    }
    case '/v1/tasks':
      return introspectTasks(subject.tasks(), query)
    default:
      return notFound('there is nothing here')
  }
}

function introspectTasks(tasks: readonly TaskState[], query: URLSearchParams): EndpointAnswer {
  const taskArn = query.get('taskarn')
  const dockerId = query.get('dockerid')
  if (taskArn === null && dockerId === null) return { status: 200, body: { Tasks: tasks.map(introspectedTask) } }
  const found = tasks.find(
    (task) =>
      task.assignment.taskArn === taskArn ||
      (dockerId !== null &&
        dockerId.length >= 12 &&
        task.containers.some(({ runtimeId }) => runtimeId.startsWith(dockerId))),
  )
  return found === undefined ? notFound('there is no such task') : { status: 200, body: introspectedTask(found) }
}

const pathOf = (url: string): string => url.split('?')[0] ?? ''
