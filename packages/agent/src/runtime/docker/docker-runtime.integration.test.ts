import { request } from 'node:http'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '@berth/shared/clock.ts'
import { randomHex, systemRandom } from '@berth/shared/random.ts'
import { httpServer, makeBusyboxImage } from '../../../../../test/images/busybox-image.ts'
import type { ContainerCreate, ContainerEvent, ContainerSnapshot, TaskLimits } from '../container-runtime.ts'
import { blankContainer } from '../runtime-contract.ts'
import { type DockerRuntimeOptions, dockerRuntime } from './docker-runtime.ts'
import { dockerUnderTest } from '../../../../../test/docker/docker-under-test.ts'
import { pauseReference } from './pause-image.ts'

type Under = Awaited<ReturnType<typeof dockerUnderTest>>

const random = systemRandom()
const signal = () => AbortSignal.timeout(60_000)
const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms)
  })

describe('the Docker runtime', () => {
  let under: Under
  let imageId = ''

  beforeAll(async () => {
    under = await dockerUnderTest()
    imageId = (await under.runtime.pull({ image: under.image, behavior: 'prefer-cached' }, signal())).imageId
  })
  afterAll(async () => {
    await under.dispose()
  })

  const containerOf = (over: Partial<ContainerCreate> = {}): ContainerCreate => {
    const taskId = randomHex(random, 32)
    const identity = {
      taskArn: `arn:aws:ecs:us-east-1:123456789012:task/docker/${taskId}`,
      containerName: 'main',
      runtimeName: `ecs-docker-1-${taskId}-main`,
    }
    return { ...blankContainer, identity, image: imageId, ...over }
  }

  const run = async (over: Partial<ContainerCreate> = {}): Promise<ContainerSnapshot> => {
    const id = await under.runtime.create(containerOf(over), signal())
    await under.runtime.start(id, signal())
    return snapshot(id)
  }

  const snapshot = async (id: string): Promise<ContainerSnapshot> => {
    const found = await under.runtime.inspect(id, signal())
    if (found === undefined) throw new Error(`container ${id} is gone`)
    return found
  }

  /** What a container wrote that ran to its end. */
  const outputOf = async (over: Partial<ContainerCreate>): Promise<string> => {
    const { runtimeId } = await run({ pseudoTerminal: true, ...over })
    await under.docker.getContainer(runtimeId).wait()
    const logs = await under.docker.getContainer(runtimeId).logs({ stdout: true, stderr: true, follow: false })
    return logs.toString().replaceAll('\r', '').trim()
  }

  describe('gives a container', () => {
    it.each<[string, Partial<ContainerCreate>, string, string]>([
      ['its environment', { environment: ['COLOUR=blue sky'] }, 'echo $COLOUR', 'blue sky'],
      ['its working directory', { workingDirectory: '/www' }, 'pwd', '/www'],
      ['its user', { user: '1234:4321' }, 'busybox id -u; busybox id -g', '1234\n4321'],
      ['its host name', { network: { kind: 'bridge', links: [] }, hostname: 'ship' }, 'hostname', 'ship'],
      [
        'its memory',
        { memoryMib: 32 },
        'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null',
        String(32 * 1024 * 1024),
      ],
      ['its limits', { ulimits: [{ name: 'nofile', soft: 77, hard: 88 }] }, 'ulimit -Sn; ulimit -Hn', '77\n88'],
      [
        'a file system in memory',
        { mounts: [{ kind: 'tmpfs', target: '/scratch', readOnly: false, sizeMib: 2 }] },
        'busybox df -m /scratch | busybox tail -1 | busybox awk "{print \\$2}"',
        '2',
      ],
      [
        'a root that cannot be written',
        { readonlyRootFilesystem: true },
        'echo x 2>/dev/null >/tmp/x || echo no',
        'no',
      ],
      [
        'its kernel settings',
        { systemControls: { 'net.ipv4.ip_unprivileged_port_start': '81' } },
        'cat /proc/sys/net/ipv4/ip_unprivileged_port_start',
        '81',
      ],
      [
        'hosts to know',
        { network: { kind: 'bridge', links: [] }, extraHosts: ['harbour:10.1.2.3'] },
        'busybox grep harbour /etc/hosts | busybox cut -f1',
        '10.1.2.3',
      ],
      [
        'name servers',
        { network: { kind: 'bridge', links: [] }, dnsServers: ['10.9.8.7'], dnsSearchDomains: ['sea'] },
        'busybox grep -v "#" /etc/resolv.conf | busybox sort',
        'nameserver 10.9.8.7\nsearch sea',
      ],
      [
        'shared memory',
        { sharedMemoryMib: 3 },
        'busybox df -m /dev/shm | busybox tail -1 | busybox awk "{print \\$2}"',
        '3',
      ],
    ])('%s', async (_what, over, script, expected) => {
      expect(await outputOf({ ...over, command: ['sh', '-c', script] })).toBe(expected)
    })

    it('its share of the processors', async () => {
      const { runtimeId } = await run({ cpuShares: 0, cpuLimit: 512 })
      const { HostConfig } = await under.docker.getContainer(runtimeId).inspect()
      expect(HostConfig).toMatchObject({ CpuShares: 2, NanoCpus: 500_000_000 })
    })

    it.each([true, false])('privileges, or none: %s', async (privileged) => {
      // Not started: not every machine lets its engine do that.
      const id = await under.runtime.create(containerOf({ privileged }), signal())
      expect((await under.docker.getContainer(id).inspect()).HostConfig.Privileged).toBe(privileged)
    })

    it('the labels it is given, and the ones it is found by', async () => {
      const wanted = containerOf({ labels: { 'com.amazonaws.ecs.cluster': 'fleet', mine: 'yes' } })
      const id = await under.runtime.create(wanted, signal())
      expect((await under.docker.getContainer(id).inspect()).Config.Labels).toEqual({
        mine: 'yes',
        'com.amazonaws.ecs.cluster': 'fleet',
        'com.amazonaws.ecs.task-arn': wanted.identity.taskArn,
        'com.amazonaws.ecs.container-name': 'main',
        'io.berth.host': under.hostId,
        'io.berth.name': wanted.identity.runtimeName,
      })
    })

    it('a name that Docker takes, where the one that it has is not', async () => {
      const wanted = containerOf()
      const runtimeName = wanted.identity.runtimeName.replace(/main$/, '~internal~pause')
      const id = await under.runtime.create({ ...wanted, identity: { ...wanted.identity, runtimeName } }, signal())
      expect((await snapshot(id)).runtimeName).toBe(runtimeName)
    })

    it('a directory of the host, which is made', async () => {
      const directory = await mkdtemp(join(tmpdir(), 'berth-bind-'))
      try {
        const source = join(directory, 'made/for/it')
        const mounts = [{ kind: 'bind' as const, source, target: '/data', readOnly: false }]
        await outputOf({ mounts, command: ['sh', '-c', 'echo cargo >/data/file'] })
        expect(await readFile(join(source, 'file'), 'utf8')).toBe('cargo\n')
        const readOnly = [{ ...mounts[0]!, readOnly: true }]
        const script = 'cat /data/file; echo x 2>/dev/null >/data/file || echo no'
        expect(await outputOf({ mounts: readOnly, command: ['sh', '-c', script] })).toBe('cargo\nno')
      } finally {
        await rm(directory, { recursive: true })
      }
    })

    it('a volume, which outlives it', async () => {
      const name = `berth-test-${randomHex(random, 8)}`
      await under.runtime.createVolume({ name, driver: 'local', driverOptions: {}, labels: {} }, signal())
      const mounts = [{ kind: 'volume' as const, source: name, target: '/data', readOnly: false }]
      await outputOf({ mounts, command: ['sh', '-c', 'echo cargo >/data/file'] })
      expect(await outputOf({ mounts, command: ['cat', '/data/file'] })).toBe('cargo')
    })

    it('a volume that is a mount of an NFS server, as Docker is asked for it', async () => {
      const name = `berth-test-${randomHex(random, 8)}`
      const driverOptions = { type: 'nfs', o: 'addr=127.0.0.1,nfsvers=4.1', device: ':/export' }
      await under.runtime.createVolume({ name, driver: 'local', driverOptions, labels: {} }, signal())
      expect(await under.docker.getVolume(name).inspect()).toMatchObject({ Driver: 'local', Options: driverOptions })
      await under.runtime.removeVolume(name, signal())
    })

    it('the log driver that it asks for', async () => {
      const { runtimeId } = await run({ logDriver: 'json-file', logOptions: { 'max-size': '1m' } })
      const { HostConfig } = await under.docker.getContainer(runtimeId).inspect()
      expect(HostConfig.LogConfig).toEqual({ Type: 'json-file', Config: { 'max-size': '1m' } })
    })

    it('out of memory: says so', async () => {
      const script = 'x=x; while :; do x=$x$x; done'
      const { runtimeId } = await run({ memoryMib: 8, command: ['sh', '-c', script] })
      await under.docker.getContainer(runtimeId).wait()
      expect(await snapshot(runtimeId)).toMatchObject({ state: 'exited', oomKilled: true })
    })

    it('out of memory as soon as it starts, among others: says so, though Docker looks too late', async () => {
      const script = 'x=xxxxxxxxxxxxxxxx; while :; do x=$x$x$x$x; done'
      const ended = Array.from({ length: 9 }, async () => {
        const { runtimeId } = await run({ memoryMib: 6, command: ['sh', '-c', script] })
        await under.docker.getContainer(runtimeId).wait()
        return snapshot(runtimeId)
      })
      expect((await Promise.all(ended)).map(({ oomKilled }) => oomKilled)).toEqual(Array(9).fill(true))
    })

    it('killed by somebody else: does not say that it was out of memory', async () => {
      const { runtimeId } = await run({ memoryMib: 8, command: ['sleep', '3600'] })
      await under.runtime.kill(runtimeId, signal())
      expect(await snapshot(runtimeId)).toMatchObject({ state: 'exited', exitCode: 137, oomKilled: false })
    })
  })

  describe('of a task with limits', () => {
    /** Its first process takes as much memory as it is told, and holds it. */
    const hold = (mib: number) => [
      'sh',
      '-c',
      `busybox mkfifo /tmp/f; { busybox head -c ${mib}m /dev/zero; sleep 3600; } >/tmp/f & exec busybox tail -c ${mib}m /tmp/f`,
    ]

    // Through the runtime, as agents do: the cgroup goes with the last container.
    const started: string[] = []
    afterEach(async () => {
      await under.runtime.list(signal())
      await Promise.all(started.splice(0).map((id) => under.runtime.remove(id, signal())))
    })

    const taskOf = (taskLimits: TaskLimits) => {
      const { identity } = containerOf()
      const named = (containerName: string) => ({
        ...identity,
        containerName,
        runtimeName: identity.runtimeName.replace(/main$/, containerName),
      })
      const taskId = identity.taskArn.split('/').at(-1) ?? ''
      const start = async (name: string, over: Partial<ContainerCreate> = {}) => {
        const container = await run({ identity: named(name), taskLimits, ...over })
        started.push(container.runtimeId)
        return container
      }
      return { taskId, start }
    }
    const cgroupOf = (tree: string, taskId: string) =>
      existsSync('/sys/fs/cgroup/cgroup.controllers')
        ? `/sys/fs/cgroup/ecs/${taskId}`
        : `/sys/fs/cgroup/${tree}/ecs/${taskId}`
    const limitOf = async (tree: string, taskId: string, files: readonly string[]) => {
      const path = files.map((file) => join(cgroupOf(tree, taskId), file)).find((each) => existsSync(each))
      return path === undefined ? 'none' : (await readFile(path, 'utf8')).trim()
    }

    it('shares them with the others, in a cgroup that goes with the last of them', async () => {
      const { taskId, start } = taskOf({ cpu: 512, memoryMib: 48 })
      const [first, second] = [await start('first'), await start('second')]
      expect(await limitOf('memory', taskId, ['memory.limit_in_bytes', 'memory.max'])).toBe(String(48 * 1024 * 1024))
      expect(await limitOf('cpu', taskId, ['cpu.cfs_quota_us', 'cpu.max'])).toMatch(/^50000/)
      const { HostConfig } = await under.docker.getContainer(first.runtimeId).inspect()
      expect(HostConfig.CgroupParent).toBe(`/ecs/${taskId}`)
      await under.runtime.remove(first.runtimeId, signal())
      expect(existsSync(cgroupOf('memory', taskId))).toBe(true)
      // As an agent that was started again, which knows of the cgroup by the containers in it.
      const successor = dockerRuntime(under.deps)
      await successor.list(signal())
      await successor.remove(second.runtimeId, signal())
      expect(existsSync(cgroupOf('memory', taskId))).toBe(false)
    })

    it('is killed when they use more memory together, and no other is said to have been', async () => {
      // The kernel's log names ten victims in five seconds, which the tests before this one may have used up.
      await new Promise((resolve) => setTimeout(resolve, 5100))
      const { start } = taskOf({ memoryMib: 48 })
      const idle = await start('idle', { command: ['sleep', '3600'] })
      const holders = [await start('first', { command: hold(30) }), await start('second', { command: hold(30) })]
      const ids = holders.map(({ runtimeId }) => runtimeId)
      const ended = await Promise.race(
        ids.map(async (id) => {
          await under.docker.getContainer(id).wait()
          return id
        }),
      )
      expect(await snapshot(ended)).toMatchObject({ state: 'exited', oomKilled: true, exitCode: 137 })
      await under.runtime.kill(idle.runtimeId, signal())
      expect(await snapshot(idle.runtimeId)).toMatchObject({ state: 'exited', oomKilled: false, exitCode: 137 })
    })

    it('has no cgroup of theirs where the operator does not want them', async () => {
      const careless = dockerRuntime(under.deps, { limitsTasks: false })
      const wanted = { ...containerOf(), taskLimits: { memoryMib: 48 } }
      const id = await careless.create(wanted, signal())
      expect((await under.docker.getContainer(id).inspect()).HostConfig.CgroupParent).toBe('')
    })
  })

  describe('on the network', () => {
    const webServer = async (): Promise<string> => {
      const reference = 'berth-test/web:latest'
      await makeBusyboxImage({ reference, command: httpServer(), files: { '/www/index.html': 'ahoy' } }, under.docker)
      return (await under.runtime.pull({ image: reference, behavior: 'prefer-cached' }, signal())).imageId
    }

    it('a published port answers', async () => {
      const { hostIp, hostPort } = await under.freePort()
      const ports = [{ hostIp, hostPort, containerPort: 80, protocol: 'tcp' as const }]
      await run({ image: await webServer(), network: { kind: 'bridge', links: [] }, ports })
      expect(await get(hostIp, hostPort)).toBe('ahoy')
    })

    it('a port that names no address is bound on that of the host', async () => {
      const { hostPort } = await under.freePort()
      const ports = [{ hostIp: '', hostPort, containerPort: 80, protocol: 'tcp' as const }]
      const { ports: bound } = await run({ network: { kind: 'bridge', links: [] }, ports })
      expect(bound).toEqual([{ hostIp: '127.0.0.1', hostPort, containerPort: 80, protocol: 'tcp' }])
    })

    it('a port that a program of the machine has is taken', async () => {
      const server = createServer()
      await new Promise<void>((resolve) => {
        server.listen(0, '127.0.0.1', resolve)
      })
      const address = server.address()
      const hostPort = typeof address === 'object' && address !== null ? address.port : 0
      const ports = [{ hostIp: '127.0.0.1', hostPort, containerPort: 80, protocol: 'tcp' as const }]
      const id = await under.runtime.create(containerOf({ network: { kind: 'bridge', links: [] }, ports }), signal())
      await expect(under.runtime.start(id, signal())).rejects.toMatchObject({ fault: 'port-taken' })
      server.close()
    })

    it('a task is reached at the address of its pause container', async () => {
      const holder = await holderOf(under)
      await run({ image: await webServer(), network: { kind: 'container', runtimeId: holder.runtimeId } })
      expect(await get(holder.address ?? '', 80)).toBe('ahoy')
    })

    it('a pause container leaves no zombies', async () => {
      const holder = await holderOf(under)
      const script = '(sleep 0.05 &) ; sleep 0.3; busybox cat /proc/[0-9]*/stat | busybox grep -c " Z " || :'
      const zombiesUnder = (runtimeId: string) =>
        outputOf({ pidMode: `container:${runtimeId}`, command: ['sh', '-c', script] })
      expect(await zombiesUnder(holder.runtimeId)).toBe('0')
      expect((await snapshot(holder.runtimeId)).state).toBe('running')
      const careless = await run({ command: ['sleep', '3600'] })
      expect(await zombiesUnder(careless.runtimeId)).toBe('1')
    })

    it('a pause container is gone at once when stopped, whatever time it is given', async () => {
      const holder = await holderOf(under)
      await under.runtime.stop(holder.runtimeId, 600_000, signal())
      expect(await snapshot(holder.runtimeId)).toMatchObject({ state: 'exited', exitCode: 137 })
    })

    it('several agents make one network of their own between them', async () => {
      const taskNetwork = `berth-test-${randomHex(random, 8)}`
      const agents = [1, 2, 3, 4].map(() => dockerRuntime(under.deps, { taskNetwork }))
      await Promise.all(agents.map((agent) => agent.preparePause(signal())))
      const networks = await under.docker.listNetworks({ filters: { name: [taskNetwork] } })
      expect(networks).toHaveLength(1)
      const holder = await holderOf(under, { taskNetwork })
      expect(holder.address).toMatch(/^\d+\.\d+\.\d+\.\d+$/)
      await under.docker.getContainer(holder.runtimeId).remove({ force: true })

      await under.docker.getNetwork(taskNetwork).remove()
      await Promise.all(agents.map((agent) => agent.preparePause(signal())))
      await under.docker.getNetwork(taskNetwork).remove()
    })

    it('the pause image is made again when somebody removed it', async () => {
      const before = await under.runtime.preparePause(signal())
      const kept = { repo: 'berth/pause', tag: `kept-${randomHex(random, 6)}` }
      await under.docker.getImage(before.imageId).tag(kept)
      await under.docker.getImage(pauseReference).remove()
      expect(await under.runtime.preparePause(signal())).toEqual(before)
      await under.docker.getImage(`${kept.repo}:${kept.tag}`).remove()
    })
  })

  it('makes one container of many that are asked for at once, by several agents that are one', async () => {
    const agents = [1, 2, 3].map(() => dockerRuntime(under.deps))
    for (let round = 0; round < 5; round++) {
      const wanted = containerOf()
      const ids = await Promise.all([...agents, ...agents].map((agent) => agent.create(wanted, signal())))
      expect(new Set(ids).size).toBe(1)
    }
  })

  describe('beside other hosts of the same engine', () => {
    it('sees its own containers only', async () => {
      const other = await dockerUnderTest()
      try {
        const wanted = containerOf()
        const ours = await under.runtime.create(wanted, signal())
        expect((await other.runtime.list(signal())).length).toBe(0)
        expect((await under.runtime.list(signal())).map((each) => each.runtimeId)).toContain(ours)
        await expect(other.runtime.create(wanted, signal())).rejects.toMatchObject({ fault: 'name-taken' })
      } finally {
        await other.dispose()
      }
    })
  })

  it('works on no more than it was told to at once, first come first served', async () => {
    const one = dockerRuntime(under.deps, { parallel: 1 })
    const done: number[] = []
    const ids = await Promise.all(
      [0, 1, 2, 3].map(async (index) => {
        const id = await one.create(containerOf(), signal())
        done.push(index)
        return id
      }),
    )
    expect(new Set(ids).size).toBe(4)
    expect(done).toEqual([0, 1, 2, 3])
  })

  describe('when the engine does not do as it should', () => {
    const withDoor = async (
      work: (door: Door, runtime: (options?: DockerRuntimeOptions) => Under['runtime']) => Promise<void>,
    ) => {
      const door = await openDoor()
      const runtime = (options: DockerRuntimeOptions = {}) =>
        dockerRuntime({ ...under.deps, docker: { dockerHost: `unix://${door.path}` } }, options)
      try {
        await work(door, runtime)
      } finally {
        await door.close()
      }
    }

    it('is unavailable where nobody listens', async () => {
      const docker = { dockerHost: 'unix:///nowhere/docker.sock' }
      const runtime = dockerRuntime({ ...under.deps, docker })
      await expect(runtime.list(signal())).rejects.toMatchObject({ fault: 'unavailable' })
    })

    it('is unavailable while it is away, and then again there', () =>
      withDoor(async (door, runtime) => {
        const ours = runtime()
        await ours.list(signal())
        door.shut()
        await expect(ours.list(signal())).rejects.toMatchObject({ fault: 'unavailable' })
        door.open()
        await ours.list(signal())
      }))

    it('times out while it hangs, and then answers again', () =>
      withDoor(async (door, runtime) => {
        const ours = runtime({ deadlines: { list: 200, version: 200 } })
        await ours.list(signal())
        door.hang()
        await expect(ours.list(signal())).rejects.toMatchObject({ fault: 'timeout' })
        door.open()
        await ours.list(signal())
      }))

    it('finds the container that it made while nobody heard the answer', () =>
      withDoor(async (door, runtime) => {
        const ours = runtime({ deadlines: { create: 400 } })
        await ours.list(signal())
        const wanted = containerOf()
        door.deafen()
        await expect(ours.create(wanted, signal())).rejects.toMatchObject({ fault: 'timeout' })
        door.open()
        const id = await runtime().create(wanted, signal())
        expect((await snapshot(id)).taskArn).toBe(wanted.identity.taskArn)
      }))

    it('is listened to again after it was away, with a gap', () =>
      withDoor(async (door, runtime) => {
        const stop = new AbortController()
        const events: ContainerEvent[] = []
        let gaps = 0
        const watching = runtime().watch(
          (event) => events.push(event),
          () => {
            gaps += 1
          },
          stop.signal,
        )
        const until = async (holds: () => boolean) => {
          while (!holds()) await pause(20)
        }
        await until(() => gaps === 1)
        door.shut()
        await pause(100)
        door.open()
        await until(() => gaps === 2)
        const id = await under.runtime.create(containerOf(), signal())
        await until(() => events.some((event) => event.runtimeId === id && event.kind === 'created'))
        stop.abort(new Error('enough'))
        await expect(watching).rejects.toThrow('enough')
      }))
  })

  async function holderOf(of: Under, options: DockerRuntimeOptions = {}): Promise<ContainerSnapshot> {
    const runtime = dockerRuntime(of.deps, options)
    const { imageId: pauseImage } = await runtime.preparePause(signal())
    const id = await runtime.create(containerOf({ image: pauseImage, network: { kind: 'task' } }), signal())
    await runtime.start(id, signal())
    return snapshot(id)
  }
})

/** A socket in front of Docker's own, which can be shut, hung, and made deaf to answers. */
interface Door {
  readonly path: string
  open(): void
  /** Nobody listens, and whoever was connected no longer is. */
  shut(): void
  /** Whoever connects, or is connected, hears nothing, and nothing reaches the engine. */
  hang(): void
  /** What is asked reaches the engine; what it answers reaches nobody. */
  deafen(): void
  close(): Promise<void>
}

async function openDoor(): Promise<Door> {
  const directory = await mkdtemp(join(tmpdir(), 'berth-door-'))
  const path = join(directory, 'docker.sock')
  let state: 'open' | 'shut' | 'hung' | 'deaf' = 'open'
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    if (state === 'shut') socket.destroy()
    const engine = connect('/var/run/docker.sock')
    for (const each of [socket, engine]) each.on('error', () => {})
    socket.on('data', (data) => {
      if (state === 'open' || state === 'deaf') engine.write(data)
    })
    engine.on('data', (data) => {
      if (state === 'open') socket.write(data)
    })
    engine.on('close', () => socket.destroy())
    socket.on('close', () => {
      sockets.delete(socket)
      engine.destroy()
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(path, resolve)
  })
  const destroyAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    path,
    open() {
      state = 'open'
    },
    shut() {
      state = 'shut'
      destroyAll()
    },
    hang() {
      state = 'hung'
    },
    deafen() {
      state = 'deaf'
    },
    async close() {
      destroyAll()
      await new Promise((resolve) => {
        server.close(resolve)
      })
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Asks until somebody listens: a container that runs may not have bound its port yet. */
async function get(host: string, port: number): Promise<string> {
  const started = systemClock.monotonic()
  for (;;) {
    try {
      return await new Promise((resolve, reject) => {
        const asked = request({ host, port, path: '/' }, (answer) => resolve(text(answer)))
        asked.on('error', reject)
        asked.end()
      })
    } catch (error) {
      if (systemClock.monotonic() - started > 10_000) throw error
      await pause(50)
    }
  }
}
