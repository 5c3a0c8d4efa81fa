import { silentLog } from '@berth/shared/log.ts'
import { seededRandom } from '@berth/shared/random.ts'
import { virtualClock } from '@berth/shared/virtual-clock.ts'
import { defaultEngineOptions } from '../../engine/engine-deps.ts'
import { type RunningEngine, startEngine } from '../../engine/engine.ts'
import { type MemoryJournal, memoryDisk, openMemoryJournal } from '../../journal/memory-journal.ts'
import { fakeRuntime } from '../../runtime/fake/fake-runtime.ts'
import type { FakeScript } from '../../runtime/fake/fake-script.ts'
import { FakeWorld } from '../../runtime/fake/fake-world.ts'
import { askedResources } from '../asked-resources.ts'
import { HostQuestions } from '../host-questions.ts'
import { type RunningSession, startHostSession } from '../host-session.ts'
import { scriptedServer } from './scripted-server.ts'

/** A session of a real engine in a fake world with a scripted server, on virtual time. */
export function sessionLab({ servers = ['one:1'], seed = 1 } = {}) {
  const clock = virtualClock()
  const random = seededRandom(seed)
  let made: Parameters<FakeScript['program']>[0] | undefined
  const script: FakeScript = {
    image: () => ({}),
    program(container) {
      made = container
      return {}
    },
  }
  const world = new FakeWorld({ clock, random, script })
  const server = scriptedServer(clock)
  const disk = memoryDisk()
  let journal: MemoryJournal
  let engine: RunningEngine
  let session: RunningSession

  const boot = () => {
    journal = openMemoryJournal(disk)
    const questions = new HostQuestions()
    const deps = { journal, clock, random, log: silentLog, questions, resources: askedResources(questions) }
    engine = startEngine({ ...deps, runtime: fakeRuntime(world, 'host') }, defaultEngineOptions)
    session = startHostSession(
      { ...deps, engine, transport: server.transport, describe: async () => description },
      {
        servers,
        cluster: 'default',
        token: 'secret',
        offersFargate: true,
        agentVersion: '1.2.3',
        agentHash: 'abc',
      },
    )
  }
  boot()

  return {
    clock,
    world,
    server,
    /** What the last container was made with. */
    made: () => made,
    get engine() {
      return engine
    },
    get session() {
      return session
    },
    get journal() {
      return journal
    },
    async restart() {
      await session.stop()
      engine.stop()
      journal.crash()
      boot()
    },
    after: (ms: number) => clock.advanceBy(ms),
  }
}

const description = {
  dockerVersion: '20.10.24',
  resources: {
    cpu: 2048,
    memoryMib: 4096,
    reservedTcpPorts: [22],
    reservedUdpPorts: [],
    gpuIds: [],
    networkInterfaces: 10,
    dynamicPorts: { first: 49_153, last: 65_535 },
    custom: {},
  },
  attributes: [{ name: 'ecs.os-type', value: 'linux' }],
  address: '127.0.0.2',
}
