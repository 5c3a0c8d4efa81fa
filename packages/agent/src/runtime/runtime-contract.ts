import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type ContainerCreate,
  type ContainerEvent,
  type ContainerRuntime,
  type ContainerSnapshot,
  type PullRequest,
  RuntimeError,
  type RuntimeFault,
} from './container-runtime.ts'

/** What a container of the contract must do, whatever the runtime makes of it. */
export type ContractProgram =
  /** Runs until it is sent the stop signal, and then ends with `contractExitCodes.stopped`. */
  | 'runs-until-stopped'
  /** Runs, and lets the stop signal pass. */
  | 'ignores-stop'
  /** Ends by itself, soon, with `contractExitCodes.failing`. */
  | 'exits'
  /** Names a program that the image does not have, so that it cannot be started. */
  | 'cannot-start'
  /** As `runs-until-stopped`, and becomes healthy by its own health check. */
  | 'becomes-healthy'

/** The exit codes that the programs end with; a killed one ends with 137 (128 + SIGKILL), as everywhere. */
export const contractExitCodes = { stopped: 0, failing: 3, killed: 137 } as const

/** A runtime as the contract needs it: new for each run of the suite, with nothing of its host in it yet. */
export interface RuntimeUnderTest {
  readonly runtime: ContainerRuntime
  /** The reference of an image that is present or can be pulled, and that all programs but `cannot-start` run in. */
  readonly image: string
  /** A reference that no registry has and that is not present. */
  readonly missingImage: string
  /** What makes a container of `image` behave as the program says. */
  program(program: ContractProgram): Pick<ContainerCreate, 'entryPoint' | 'command'> & Partial<ContainerCreate>
  /** A host port that nobody uses, and the address that it is bound on. */
  freePort(): Promise<{ readonly hostIp: string; readonly hostPort: number }>
  /** Makes a container with this name that is not of this host. */
  foreignContainer(runtimeName: string): Promise<void>
  /** Removes what the suite left. */
  dispose(): Promise<void>
}

const patienceMs = 30_000

/**
 * Declares the tests that every `ContainerRuntime` must pass. Call it at the top of a test file:
 *
 * ```ts
 * describeRuntimeContract('fake runtime', async () => makeFakeUnderTest())
 * ```
 *
 * One runtime serves the whole suite; each test makes a task of its own.
 */
export function describeRuntimeContract(name: string, makeRuntime: () => Promise<RuntimeUnderTest>): void {
  describe(`${name} keeps the runtime's contract`, () => {
    let under: RuntimeUnderTest
    let imageId = ''
    let tasks = 0
    const signal = (): AbortSignal => AbortSignal.timeout(patienceMs)

    const containerOf = (program: ContractProgram, over: Partial<ContainerCreate> = {}): ContainerCreate => {
      tasks += 1
      const taskId = tasks.toString(16).padStart(32, '0')
      const identity = {
        taskArn: `arn:aws:ecs:us-east-1:123456789012:task/contract/${taskId}`,
        containerName: 'main',
        runtimeName: `ecs-contract-${process.pid}-${taskId}-main`,
      }
      return { ...blankContainer, identity, image: imageId, ...under.program(program), ...over }
    }

    const started = async (program: ContractProgram, over: Partial<ContainerCreate> = {}): Promise<string> => {
      const id = await under.runtime.create(containerOf(program, over), signal())
      await under.runtime.start(id, signal())
      return id
    }

    const snapshot = async (id: string): Promise<ContainerSnapshot> => {
      const found = await under.runtime.inspect(id, signal())
      if (found === undefined) throw new Error(`container ${id} is gone`)
      return found
    }

    const until = async (id: string, holds: (now: ContainerSnapshot) => boolean): Promise<ContainerSnapshot> => {
      const deadline = AbortSignal.timeout(patienceMs)
      for (;;) {
        const now = await snapshot(id)
        if (holds(now)) return now
        if (deadline.aborted) throw new Error(`it did not come to that: ${JSON.stringify(now)}`)
        await pause(20)
      }
    }

    beforeAll(async () => {
      under = await makeRuntime()
      imageId = (await under.runtime.pull(pullOf(under.image), signal())).imageId
    })
    afterAll(async () => {
      await under.dispose()
    })

    describe('the engine', () => {
      it('says what it is', async () => {
        const info = await under.runtime.info(signal())
        expect(info.version).not.toBe('')
        expect(info.cpus).toBeGreaterThan(0)
        expect(info.memoryMib).toBeGreaterThan(0)
        expect(Number.isInteger(info.memoryMib)).toBe(true)
        expect(info.logDrivers.length).toBeGreaterThan(0)
      })

      it('rejects with the reason of a signal that aborted', async () => {
        const reason = new Error('the agent goes')
        await expect(under.runtime.list(AbortSignal.abort(reason))).rejects.toBe(reason)
      })
    })

    describe('pulling an image', () => {
      it.each(['default', 'once', 'prefer-cached'] as const)('%s finds one that is present', async (behavior) => {
        const pulled = await under.runtime.pull({ image: under.image, behavior }, signal())
        expect(pulled.imageId).toBe(imageId)
      })

      it('takes the id of an image that is present, by every rule', async () => {
        for (const behavior of ['default', 'always', 'once', 'prefer-cached'] as const) {
          expect((await under.runtime.pull({ image: imageId, behavior }, signal())).imageId).toBe(imageId)
        }
      })

      it.each(['default', 'always', 'once', 'prefer-cached'] as const)(
        '%s is refused where there is none, and says why',
        async (behavior) => {
          const error = await failure(under.runtime.pull({ image: under.missingImage, behavior }, signal()))
          expect(error.fault).toBe('refused')
          expect(error.message).not.toBe('')
        },
      )
    })

    describe('creating a container', () => {
      it('makes one that does not run yet', async () => {
        const wanted = containerOf('runs-until-stopped')
        const id = await under.runtime.create(wanted, signal())
        expect(await snapshot(id)).toMatchObject({
          runtimeId: id,
          taskArn: wanted.identity.taskArn,
          containerName: 'main',
          runtimeName: wanted.identity.runtimeName,
          state: 'created',
          health: 'UNKNOWN',
          error: '',
          imageId,
          oomKilled: false,
          restartCount: 0,
        })
        expect(await snapshot(id)).not.toHaveProperty('exitCode')
        expect(await snapshot(id)).not.toHaveProperty('startedAt')
      })

      it('adopts the one it made before', async () => {
        const wanted = containerOf('runs-until-stopped')
        const id = await under.runtime.create(wanted, signal())
        expect(await under.runtime.create(wanted, signal())).toBe(id)
      })

      it('makes one container when two ask at once', async () => {
        const wanted = containerOf('runs-until-stopped')
        const ids = await Promise.all([1, 2, 3].map(() => under.runtime.create(wanted, signal())))
        expect(new Set(ids).size).toBe(1)
      })

      it('does not take a name that belongs to somebody else', async () => {
        const wanted = containerOf('runs-until-stopped')
        await under.foreignContainer(wanted.identity.runtimeName)
        await expectFault(under.runtime.create(wanted, signal()), 'name-taken')
      })

      it('does not take a name that belongs to another task', async () => {
        const wanted = containerOf('runs-until-stopped')
        await under.runtime.create(wanted, signal())
        const other = { ...wanted, identity: { ...wanted.identity, taskArn: `${wanted.identity.taskArn}0` } }
        await expectFault(under.runtime.create(other, signal()), 'name-taken')
      })

      it('fails with not-found for an image that is gone', async () => {
        const gone = `sha256:${'0'.repeat(64)}`
        await expectFault(
          under.runtime.create(containerOf('runs-until-stopped', { image: gone }), signal()),
          'not-found',
        )
      })
    })

    describe('starting a container', () => {
      it('runs it', async () => {
        const id = await started('runs-until-stopped')
        const running = await snapshot(id)
        expect(running.state).toBe('running')
        expect(running.startedAt).toBeGreaterThan(0)
        expect(running).not.toHaveProperty('exitCode')
        expect(running).not.toHaveProperty('finishedAt')
      })

      it('may be repeated', async () => {
        const id = await started('runs-until-stopped')
        await under.runtime.start(id, signal())
        expect((await snapshot(id)).state).toBe('running')
      })

      it('fails with not-found for one that is gone', async () => {
        await expectFault(under.runtime.start('f'.repeat(64), signal()), 'not-found')
      })

      it('is refused, with the reason, where the program is not there', async () => {
        const id = await under.runtime.create(containerOf('cannot-start'), signal())
        const error = await failure(under.runtime.start(id, signal()))
        expect(error.fault).toBe('refused')
        expect(error.message).not.toBe('')
        const failed = await snapshot(id)
        expect(failed.state).not.toBe('running')
        expect(failed.error).not.toBe('')
      })

      it('publishes its ports on the address asked for', async () => {
        const { hostIp, hostPort } = await under.freePort()
        const publication = { hostIp, hostPort, containerPort: 80, protocol: 'tcp' as const }
        const id = await started('runs-until-stopped', { network: { kind: 'bridge', links: [] }, ports: [publication] })
        expect((await snapshot(id)).ports).toEqual([publication])
      })

      it('fails with port-taken where another container has the port', async () => {
        const { hostIp, hostPort } = await under.freePort()
        const ports = [{ hostIp, hostPort, containerPort: 80, protocol: 'tcp' as const }]
        await started('runs-until-stopped', { network: { kind: 'bridge', links: [] }, ports })
        const second = containerOf('runs-until-stopped', { network: { kind: 'bridge', links: [] }, ports })
        const id = await under.runtime.create(second, signal())
        await expectFault(under.runtime.start(id, signal()), 'port-taken')
      })

      it('starts a port-taken one once the port is free', async () => {
        const { hostIp, hostPort } = await under.freePort()
        const ports = [{ hostIp, hostPort, containerPort: 80, protocol: 'tcp' as const }]
        const network = { kind: 'bridge', links: [] } as const
        const first = await started('runs-until-stopped', { network, ports })
        const second = await under.runtime.create(containerOf('runs-until-stopped', { network, ports }), signal())
        await expectFault(under.runtime.start(second, signal()), 'port-taken')
        await under.runtime.kill(first, signal())
        await under.runtime.remove(first, signal())
        await under.runtime.start(second, signal())
        expect((await snapshot(second)).state).toBe('running')
      })
    })

    describe('the end of a container', () => {
      it('is seen with its exit code', async () => {
        const ended = await until(await started('exits'), (now) => now.state === 'exited')
        expect(ended.exitCode).toBe(contractExitCodes.failing)
        expect(ended.finishedAt).toBeGreaterThanOrEqual(ended.startedAt ?? Infinity)
        expect(ended.error).toBe('')
      })

      it('comes by the stop signal', async () => {
        const id = await started('runs-until-stopped')
        await under.runtime.stop(id, 20_000, signal())
        expect(await snapshot(id)).toMatchObject({ state: 'exited', exitCode: contractExitCodes.stopped })
      })

      it('comes by force when the stop signal is let pass', async () => {
        const id = await started('ignores-stop')
        await under.runtime.stop(id, 0, signal())
        expect(await snapshot(id)).toMatchObject({ state: 'exited', exitCode: contractExitCodes.killed })
      })

      it('comes by kill', async () => {
        const id = await started('ignores-stop')
        await under.runtime.kill(id, signal())
        const ended = await until(id, (now) => now.state === 'exited')
        expect(ended.exitCode).toBe(contractExitCodes.killed)
      })

      it('may be asked for again, and for one that never ran or is gone', async () => {
        const ran = await started('runs-until-stopped')
        const never = await under.runtime.create(containerOf('runs-until-stopped'), signal())
        await under.runtime.kill(ran, signal())
        await until(ran, (now) => now.state === 'exited')
        for (const id of [ran, never, 'e'.repeat(64)]) {
          await under.runtime.stop(id, 0, signal())
          await under.runtime.kill(id, signal())
        }
      })
    })

    describe('removing a container', () => {
      it('leaves nothing', async () => {
        const id = await started('runs-until-stopped')
        await under.runtime.kill(id, signal())
        await until(id, (now) => now.state === 'exited')
        await under.runtime.remove(id, signal())
        expect(await under.runtime.inspect(id, signal())).toBeUndefined()
        expect((await under.runtime.list(signal())).map((each) => each.runtimeId)).not.toContain(id)
      })

      it('may be repeated, also at the same time', async () => {
        const id = await under.runtime.create(containerOf('runs-until-stopped'), signal())
        await Promise.all([under.runtime.remove(id, signal()), under.runtime.remove(id, signal())])
        await under.runtime.remove(id, signal())
        expect(await under.runtime.inspect(id, signal())).toBeUndefined()
      })

      it('frees the name', async () => {
        const wanted = containerOf('runs-until-stopped')
        const id = await under.runtime.create(wanted, signal())
        await under.runtime.remove(id, signal())
        expect(await under.runtime.create(wanted, signal())).not.toBe(id)
      })
    })

    describe('the list', () => {
      it("has every container of this host as inspect has it, and nobody else's", async () => {
        const foreign = `ecs-contract-${process.pid}-foreign-in-list`
        await under.foreignContainer(foreign)
        const created = await under.runtime.create(containerOf('runs-until-stopped'), signal())
        const running = await started('runs-until-stopped')
        const ended = await started('exits')
        await until(ended, (now) => now.state === 'exited')

        const listed = await under.runtime.list(signal())
        const byId = new Map(listed.map((each) => [each.runtimeId, each]))
        for (const id of [created, running, ended]) expect(byId.get(id)).toEqual(await snapshot(id))
        expect(listed.map((each) => each.runtimeName)).not.toContain(foreign)
      })

      it('follows a container that is listed again and again', async () => {
        const id = await under.runtime.create(containerOf('runs-until-stopped'), signal())
        const state = async () => (await under.runtime.list(signal())).find((each) => each.runtimeId === id)?.state
        expect(await state()).toBe('created')
        await under.runtime.start(id, signal())
        expect(await state()).toBe('running')
        await under.runtime.kill(id, signal())
        await until(id, (now) => now.state === 'exited')
        expect(await state()).toBe('exited')
      })
    })

    describe('watching', () => {
      it('tells of a gap first, then of each thing that happens', async () => {
        const watching = watch(under.runtime)
        await watching.gap
        const wanted = containerOf('runs-until-stopped')
        const id = await under.runtime.create(wanted, signal())
        await under.runtime.start(id, signal())
        await under.runtime.stop(id, 20_000, signal())
        await under.runtime.remove(id, signal())
        await watching.saw(id, 'removed')
        await watching.end()

        const { taskArn, containerName } = wanted.identity
        const seen = watching.events.filter((event) => event.runtimeId === id)
        expect(seen.map((event) => event.kind)).toEqual(['created', 'started', 'died', 'removed'])
        expect(seen.every((event) => event.taskArn === taskArn && event.containerName === containerName)).toBe(true)
        expect(seen[2]?.exitCode).toBe(contractExitCodes.stopped)
      })

      it('tells of health', async () => {
        const watching = watch(under.runtime)
        await watching.gap
        const id = await started('becomes-healthy')
        await watching.saw(id, 'health')
        await watching.end()
        expect(watching.events.find((event) => event.kind === 'health')?.health).toBe('HEALTHY')
        expect((await snapshot(id)).health).toBe('HEALTHY')
      })

      it('rejects with the reason when its signal aborts', async () => {
        const stop = new AbortController()
        const watching = under.runtime.watch(
          () => {},
          () => stop.abort(new Error('enough')),
          stop.signal,
        )
        await expect(watching).rejects.toThrow('enough')
      })
    })

    describe('the network of a task', () => {
      it('is held by the pause container, whose address the others share', async () => {
        const prepared = await under.runtime.preparePause(signal())
        const holder = await under.runtime.create(
          {
            ...containerOf('runs-until-stopped'),
            image: prepared.imageId,
            entryPoint: [],
            command: [],
            network: { kind: 'task' },
          },
          signal(),
        )
        await under.runtime.start(holder, signal())
        const held = await snapshot(holder)
        expect(held.address).toMatch(/^\d+\.\d+\.\d+\.\d+$/)
        expect(held.macAddress).toMatch(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/)

        const sharer = await started('runs-until-stopped', { network: { kind: 'container', runtimeId: holder } })
        expect((await snapshot(sharer)).state).toBe('running')
        await under.runtime.stop(holder, 0, signal())
        expect((await snapshot(holder)).state).toBe('exited')
      })

      it('is prepared once, however often it is asked for', async () => {
        const prepared = await Promise.all([1, 2, 3].map(() => under.runtime.preparePause(signal())))
        expect(new Set(prepared.map((image) => image.imageId)).size).toBe(1)
      })
    })

    describe('volumes', () => {
      it('are made once and removed once, however often it is asked for', async () => {
        const volume = { name: `contract-${process.pid}-volume`, driver: 'local', driverOptions: {}, labels: {} }
        await under.runtime.createVolume(volume, signal())
        await under.runtime.createVolume(volume, signal())
        await under.runtime.removeVolume(volume.name, signal())
        await under.runtime.removeVolume(volume.name, signal())
      })
    })

    describe('images', () => {
      it('that are gone can be removed again', async () => {
        await under.runtime.removeImage(`sha256:${'1'.repeat(64)}`, signal())
      })
    })
  })
}

/** A container that asks for nothing; tests spread over it what they are about. */
export const blankContainer: Omit<ContainerCreate, 'identity' | 'image'> = {
  labels: {},
  environment: [],
  cpuShares: 2,
  network: { kind: 'none' },
  ports: [],
  mounts: [],
  volumesFrom: [],
  privileged: false,
  readonlyRootFilesystem: false,
  dnsServers: [],
  dnsSearchDomains: [],
  extraHosts: [],
  securityOptions: [],
  ulimits: [],
  systemControls: {},
  capabilitiesAdd: [],
  capabilitiesDrop: [],
  devices: [],
  init: false,
  interactive: false,
  pseudoTerminal: false,
  gpuIds: [],
  logOptions: {},
}

const pullOf = (image: string): PullRequest => ({ image, behavior: 'default' })

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms)
  })

async function failure(operation: Promise<unknown>): Promise<RuntimeError> {
  try {
    await operation
  } catch (error) {
    if (error instanceof RuntimeError) return error
    throw error
  }
  throw new Error('the operation was expected to fail')
}

async function expectFault(operation: Promise<unknown>, fault: RuntimeFault): Promise<void> {
  expect((await failure(operation)).fault).toBe(fault)
}

function watch(runtime: ContainerRuntime) {
  const stop = new AbortController()
  const events: ContainerEvent[] = []
  const gap = Promise.withResolvers<void>()
  const waiting: { readonly holds: () => boolean; readonly resolve: () => void }[] = []
  const done = runtime
    .watch(
      (event) => {
        events.push(event)
        for (const each of waiting) if (each.holds()) each.resolve()
      },
      () => gap.resolve(),
      stop.signal,
    )
    .catch((error: unknown) => {
      if (!stop.signal.aborted) throw error
    })
  return {
    events,
    gap: gap.promise,
    saw(runtimeId: string, kind: ContainerEvent['kind']): Promise<void> {
      const holds = () => events.some((event) => event.runtimeId === runtimeId && event.kind === kind)
      if (holds()) return Promise.resolve()
      return new Promise((resolve) => {
        waiting.push({ holds, resolve })
      })
    },
    async end(): Promise<void> {
      stop.abort()
      await done
    },
  }
}
