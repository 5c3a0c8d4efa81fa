import { setTimeout as wait } from 'node:timers/promises'
import {
  CreateServiceCommand,
  type ECSClient,
  ECSServiceException,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  StopTaskCommand,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs'
import { type Random, randomHex } from '@berth/shared/random.ts'
import type { HostsLab } from '../hosts/hosts-lab.ts'
import { sleeperImage } from '../hosts/lab-host.ts'
import { between, chance, oneOf } from './choice.ts'
import type { History } from './history.ts'
import type { Ledger } from './ledger.ts'

/** CPU units and MiB of every task of the load. */
export const taskSize = { cpu: 64, memory: 16 }
/** The port of its host that a `fixed` task takes: one fits on a host. */
export const fixedPort = 8080

const networkConfiguration = { awsvpcConfiguration: { subnets: ['subnet-abc123'] } }
const services = ['web', 'api'] as const
const mostOfService = 4
/** Tasks of RunTask that may be alive at once: with the services less than the hosts have room for, so that most are placed. */
const mostAlone = 12

export interface LoadDeps {
  readonly lab: HostsLab
  readonly random: Random
  readonly ledger: Ledger
  readonly history: History
}

/** Registers what the load runs, and makes its services. */
export async function prepareLoad({ lab, ledger }: LoadDeps): Promise<void> {
  const client = lab.client()
  const definitions = {
    sleeper: { portMappings: [{ containerPort: 80 }] },
    fixed: { portMappings: [{ containerPort: 80, hostPort: fixedPort }] },
    short: { command: ['sh', '-c', 'sleep 3'] },
    volume: { mountPoints: [{ sourceVolume: 'scratch', containerPath: '/scratch' }] },
    awsvpc: {},
  }
  for (const [family, container] of Object.entries(definitions)) {
    await client.send(
      new RegisterTaskDefinitionCommand({
        family,
        ...(family === 'awsvpc' && { networkMode: 'awsvpc' }),
        ...(family === 'volume' && { volumes: [{ name: 'scratch' }] }),
        containerDefinitions: [{ name: 'main', image: sleeperImage, stopTimeout: 2, ...taskSize, ...container }],
      }),
    )
  }
  for (const serviceName of services) {
    await client.send(new CreateServiceCommand({ serviceName, taskDefinition: 'sleeper', desiredCount: 2 }))
    ledger.desiredCounts.set(serviceName, new Set([2]))
  }
}

/** Works at the API until the signal aborts, and remembers every answer; `part` of a run has names of its own for what it does. */
export async function runLoad(deps: LoadDeps, part: string, signal: AbortSignal): Promise<void> {
  for (let operation = 1; !signal.aborted; operation++) {
    await oneStep(deps, `${part}-${operation}`, signal)
    await wait(between(deps.random, 50, 300))
  }
}

/** A step that was begun is brought to its end, so that its answer is known. */
async function oneStep(deps: LoadDeps, operation: string, signal: AbortSignal): Promise<void> {
  const { random, ledger } = deps
  const alive = [...ledger.started.keys()].filter((arn) => !ledger.stopped.has(arn))
  const dice = between(random, 1, 10)
  if (dice <= 2) await updateService(deps, oneOf(random, services), signal)
  else if (alive.length > 0 && (dice <= 5 || alive.length >= mostAlone)) await stop(deps, oneOf(random, alive), signal)
  else await run(deps, operation, signal)
}

async function run(deps: LoadDeps, operation: string, signal: AbortSignal): Promise<void> {
  const { random, ledger, history } = deps
  const taskDefinition = oneOf(random, ['sleeper', 'sleeper', 'fixed', 'short', 'volume', 'awsvpc'])
  const request = new RunTaskCommand({
    taskDefinition,
    ...(taskDefinition === 'awsvpc' && { networkConfiguration }),
    count: between(random, 1, 3),
    startedBy: operation,
    clientToken: randomHex(random, 32),
  })
  const answer = await insist(deps, operation, signal, (client) => client.send(request))
  if (answer === undefined) return
  const arns = (answer.tasks ?? []).map(({ taskArn = '' }) => taskArn)
  ledger.operations.set(operation, arns.length)
  for (const arn of arns) ledger.started.set(arn, { arn, operation })
  history.note(
    'client',
    `RunTask ${operation} of ${request.input.taskDefinition}: ${arns.map(idOf).join(' ') || 'nothing placed'}`,
  )
}

async function stop(deps: LoadDeps, arn: string, signal: AbortSignal): Promise<void> {
  const answer = await insist(deps, `stop ${idOf(arn)}`, signal, (client) =>
    client.send(new StopTaskCommand({ task: arn })),
  )
  if (answer === undefined) return
  deps.ledger.stopped.add(arn)
  deps.history.note('client', `StopTask ${idOf(arn)}`)
}

async function updateService(deps: LoadDeps, service: string, signal: AbortSignal): Promise<void> {
  const { random, ledger, history } = deps
  const desiredCount = between(random, 0, mostOfService)
  const forceNewDeployment = chance(random, 0.15)
  ledger.desiredCounts.get(service)?.add(desiredCount)
  const request = new UpdateServiceCommand({ service, desiredCount, forceNewDeployment })
  const answer = await insist(deps, `update ${service}`, signal, (client) => client.send(request))
  if (answer === undefined) return
  ledger.desiredCounts.set(service, new Set([desiredCount]))
  history.note('client', `UpdateService ${service} to ${desiredCount}${forceNewDeployment ? ' anew' : ''}`)
}

const tries = 12

/** Sends the same request again, as SDKs do, at one control plane after the other, until it is answered. */
async function insist<Answer>(
  { lab, random, ledger, history }: LoadDeps,
  what: string,
  signal: AbortSignal,
  send: (client: ECSClient) => Promise<Answer>,
): Promise<Answer | undefined> {
  for (let attempt = 0; attempt < tries; attempt++) {
    const controlPlane = oneOf(random, lab.controlPlanes)
    const client = lab.client(controlPlane)
    try {
      const answer = await Promise.race([send(client), late(8000)])
      ledger.counts.answered++
      return answer
    } catch (error) {
      if (error instanceof ECSServiceException && error.$fault === 'client') {
        ledger.counts.refused++
        history.note('client', `${what} was refused: ${error.name} ${error.message}`)
        return undefined
      }
      if (attempt === 0)
        history.note('client', `${what} is not answered by ${controlPlane.process.name}: ${(error as Error).message}`)
      if (signal.aborted && attempt > 4) break
      await wait(between(random, 100, 600))
    } finally {
      client.destroy()
    }
  }
  ledger.counts.unanswered++
  history.note('client', `${what} was given up`)
  return undefined
}

async function late(ms: number): Promise<never> {
  await wait(ms, undefined, { ref: false })
  throw new Error(`no answer in ${ms} ms`)
}

export const idOf = (arn: string): string => arn.slice(arn.lastIndexOf('/') + 1).slice(0, 8)
