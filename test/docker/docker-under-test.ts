import { createServer } from 'node:net'
import { systemClock } from '@berth/shared/clock.ts'
import { type Log, silentLog } from '@berth/shared/log.ts'
import { randomHex, systemRandom } from '@berth/shared/random.ts'
import Docker from 'dockerode'
import {
  contractExitCodes,
  type ContractProgram,
  type RuntimeUnderTest,
} from '@berth/agent/runtime/runtime-contract.ts'
import { hostLabel } from '@berth/agent/runtime/docker/container-labels.ts'
import { type DockerRuntimeOptions, dockerRuntime } from '@berth/agent/runtime/docker/docker-runtime.ts'
import { makeBusyboxImage } from '../images/busybox-image.ts'

/** What every container, network and volume of these tests is labelled with. */
export const testLabel = 'io.berth.test'

/** Real Docker, seen by a host that nobody else is; all that it made goes with `dispose`. */
export async function dockerUnderTest(options: DockerRuntimeOptions = {}, log: Log = silentLog) {
  const docker = new Docker()
  const random = systemRandom()
  const hostId = `test-${randomHex(random, 12)}`
  const image = await makeBusyboxImage({}, docker)
  const deps = { docker: {}, hostId, hostAddress: '127.0.0.1', clock: systemClock, random, log }
  const runtime = dockerRuntime(deps, options)

  const removeAll = async (label: string): Promise<void> => {
    const filters = { label: [label] }
    const containers = await docker.listContainers({ all: true, filters })
    await Promise.all(containers.map((each) => docker.getContainer(each.Id).remove({ force: true, v: true })))
    const { Volumes } = await docker.listVolumes({ filters })
    await Promise.all((Volumes ?? []).map((each) => docker.getVolume(each.Name).remove()))
  }

  const under: RuntimeUnderTest = {
    runtime,
    image,
    missingImage: 'localhost:9/berth-test/no-such-image:1',
    program: (program) => programs[program],
    freePort: async () => ({ hostIp: '127.0.0.1', hostPort: await freePort() }),
    async foreignContainer(runtimeName) {
      await docker.createContainer({ name: runtimeName, Image: image, Labels: { [testLabel]: hostId } })
    },
    async dispose() {
      await removeAll(`${hostLabel}=${hostId}`)
      await removeAll(`${testLabel}=${hostId}`)
    },
  }
  return { ...under, docker, hostId, deps }
}

const programs: Readonly<Record<ContractProgram, ReturnType<RuntimeUnderTest['program']>>> = {
  'runs-until-stopped': {},
  'ignores-stop': { command: ['sleep', '3600'] },
  exits: { command: ['sh', '-c', `exit ${contractExitCodes.failing}`] },
  'cannot-start': { command: ['/no/such/program'] },
  'becomes-healthy': {
    healthCheck: { command: ['CMD', 'true'], intervalMs: 200, timeoutMs: 5000, retries: 3, startPeriodMs: 0 },
  },
}

/** A port of the loopback address that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
