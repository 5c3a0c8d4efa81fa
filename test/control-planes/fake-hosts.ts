import { FakeHost } from '@berth/cli/lab/fake-host.ts'
import type { FakeHostPlan } from '@berth/cli/lab/worker-messages.ts'
import { systemClock } from '@berth/shared/clock.ts'
import { seededRandom } from '@berth/shared/random.ts'

/** Hosts that only play, in this process, with the agent's own session and engine. */
export interface FakeHosts {
  /** How often a task was started, by its ARN. */
  readonly starts: ReadonlyMap<string, number>
  /** How many containers have ended. */
  readonly ends: number
  stop(): Promise<void>
}

export async function startFakeHosts(count: number, servers: readonly string[]): Promise<FakeHosts> {
  const starts = new Map<string, number>()
  let ends = 0
  const hosts = Array.from({ length: count }, (_, index) => {
    const plan: FakeHostPlan = { number: index + 1, zone: 'us-east-1a', cpu: 1_024_000, memoryMib: 1_000_000 }
    return new FakeHost(plan, {
      clock: systemClock,
      random: seededRandom(index),
      setup: { servers, token: '', cluster: 'default', seed: 1, tasks: {} },
      script: { image: () => ({}), program: () => ({}) },
      onAssigned() {},
      onStarted: (taskArn) => void starts.set(taskArn, (starts.get(taskArn) ?? 0) + 1),
      onEnded: () => void (ends += 1),
    })
  })
  await Promise.all(hosts.map((host) => host.start()))
  return {
    starts,
    get ends() {
      return ends
    },
    async stop() {
      await Promise.all(hosts.map((host) => host.stop()))
    },
  }
}
