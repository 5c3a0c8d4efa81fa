import { systemClock } from '@berth/shared/clock.ts'
import { seededRandom } from '@berth/shared/random.ts'
import {
  blankContainer,
  type ContractProgram,
  contractExitCodes,
  describeRuntimeContract,
} from '../runtime-contract.ts'
import { fakeRuntime } from './fake-runtime.ts'
import { fakeScript, type FakeProgram } from './fake-script.ts'
import { FakeWorld } from './fake-world.ts'

const quick = { createMs: 2, startMs: 5, stopMs: 2, stopExitCode: contractExitCodes.stopped }

const programs: Readonly<Record<ContractProgram, Partial<FakeProgram>>> = {
  'runs-until-stopped': quick,
  'ignores-stop': { ...quick, stopMs: Infinity },
  exits: { ...quick, runMs: 20, exitCode: contractExitCodes.failing },
  'cannot-start': { ...quick, startError: 'exec: "nothing": executable file not found in $PATH' },
  'becomes-healthy': { ...quick, healthyAfterMs: 20 },
}

const healthCheck = { command: ['CMD', 'true'], intervalMs: 1000, timeoutMs: 1000, retries: 1, startPeriodMs: 0 }

describeRuntimeContract('the fake runtime', async () => {
  const script = fakeScript({ missing: { image: { pullError: 'pull access denied for missing' } } })
  const world = new FakeWorld({ clock: systemClock, random: seededRandom(1), script })
  let port = 20_000
  let foreign = 0
  return {
    runtime: fakeRuntime(world, 'host'),
    image: 'busybox:latest',
    missingImage: 'missing',
    program: (program) => ({
      labels: Object.fromEntries(
        Object.entries(programs[program]).map(([key, value]) => [`berth.fake.${key}`, String(value)]),
      ),
      ...(program === 'becomes-healthy' && { healthCheck }),
    }),
    freePort: async () => ({ hostIp: '127.0.0.1', hostPort: ++port }),
    async foreignContainer(runtimeName) {
      const identity = { taskArn: `foreign-${++foreign}`, containerName: 'main', runtimeName }
      world.create({ ...blankContainer, identity, image: world.imageOf('busybox:latest').imageId }, 'another host')
    },
    async dispose() {},
  }
})
