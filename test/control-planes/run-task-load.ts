import { ECSClient, RunTaskCommand } from '@aws-sdk/client-ecs'
import type { ControlPlanes } from './control-planes.ts'

/** Callers that start tasks one after the other, with the SDK as it comes: three tries a call, the same client token in each. */
export interface RunTaskLoad {
  /** ARNs of all tasks that were acknowledged, in the order of the answers. */
  readonly acknowledged: readonly string[]
  /** What calls failed with after all their tries. */
  readonly failures: readonly Error[]
  /** Resolves with the next acknowledged task of a call that begins after this. */
  next(): Promise<string>
  /** Lets what is under way be answered. */
  stop(): Promise<void>
}

const family = 'load'
/** A person's patience, and more than any fail-over takes. */
const pauseMs = 20

export async function startRunTaskLoad(
  { endpoint, region, credentials }: ControlPlanes,
  callers = 8,
): Promise<RunTaskLoad> {
  const client = new ECSClient({ endpoint, region, credentials })
  const acknowledged: string[] = []
  const failures: Error[] = []
  const waiting: { readonly since: number; readonly resolve: (arn: string) => void }[] = []
  const stopping = new AbortController()

  const call = async () => {
    const beganAt = performance.now()
    try {
      const { tasks = [] } = await client.send(new RunTaskCommand({ taskDefinition: family, count: 1 }))
      const [arn = ''] = tasks.map(({ taskArn = '' }) => taskArn)
      if (arn === '') throw new Error('a task was not placed')
      acknowledged.push(arn)
      for (const waiter of waiting.filter(({ since }) => since <= beganAt)) {
        waiting.splice(waiting.indexOf(waiter), 1)
        waiter.resolve(arn)
      }
    } catch (error) {
      failures.push(error as Error)
    }
  }
  const running = Array.from({ length: callers }, async () => {
    while (!stopping.signal.aborted) {
      await call()
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  })
  return {
    acknowledged,
    failures,
    next: () => new Promise((resolve) => waiting.push({ since: performance.now(), resolve })),
    async stop() {
      stopping.abort()
      await Promise.all(running)
      client.destroy()
    },
  }
}
