import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { hostLabel } from '@berth/agent/runtime/docker/container-labels.ts'
import { dataDirectoryAt } from '@berth/cli/cluster/data-directory.ts'
import { isAlive } from '@berth/shared/process-identity.ts'
import { readRunState, type RunState } from '@berth/cli/cluster/run-state.ts'
import { readOrMakeSecrets } from '@berth/cli/cluster/secrets.ts'
import { ecsClient } from '@berth/cli/ecs/ecs-client.ts'
import { hostIdsUnder } from '@berth/cli/engine/host-ids.ts'
import Docker from 'dockerode'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { runCommand, succeeded } from '../e2e/run-command.ts'
import { makeBusyboxImage } from '../images/busybox-image.ts'

const launcher = fileURLToPath(new URL('../../berth', import.meta.url))
const image = 'berth-test/berth-up:latest'
const docker = new Docker()
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(BERTH|AWS|ECS)_/.test(name)))

/** The command line, on a data directory of its own. */
function cluster() {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'berth-up-')))
  const directory = dataDirectoryAt(root)
  const attempt = (args: readonly string[], more: NodeJS.ProcessEnv = {}) =>
    runCommand(launcher, args, { ...environment, BERTH_DATA_DIR: root, ...more })
  const berth = async (...args: readonly string[]) => succeeded(`berth ${args.join(' ')}`, await attempt(args))
  const state = (): RunState => {
    const read = readRunState(directory)
    if (read === undefined) throw new Error('nothing runs')
    return read
  }
  return {
    root,
    directory,
    attempt,
    berth,
    state,
    /** An ECS client as `berth env` tells it to be. */
    async ecs() {
      const lines = await berth('env')
      const value = (name: string) => new RegExp(`^export ${name}=(.*)$`, 'm').exec(lines)?.[1] ?? ''
      const key = {
        accessKeyId: value('AWS_ACCESS_KEY_ID'),
        secretAccessKey: value('AWS_SECRET_ACCESS_KEY'),
        name: '',
      }
      return ecsClient({ endpoint: value('AWS_ENDPOINT_URL'), region: value('AWS_DEFAULT_REGION'), key })
    },
    async containers() {
      const hostIds = hostIdsUnder(directory.agents)
      const all = await docker.listContainers({ all: true, filters: { label: [hostLabel] } })
      return all
        .filter(({ Labels }) => hostIds.has(Labels[hostLabel] ?? ''))
        .map(({ Id }) => Id)
        .sort()
    },
    async remove() {
      await attempt(['down'])
      rmSync(root, { recursive: true, force: true })
    },
  }
}

/** Who runs, by number, with the supervisor. */
const identitiesOf = ({ supervisor, processes }: RunState) => [
  supervisor,
  ...processes.flatMap(({ identity }) => identity ?? []),
]

const identityOf = (state: RunState, name: string) => state.processes.find((each) => each.name === name)?.identity

beforeAll(async () => {
  await makeBusyboxImage({ reference: image })
})

describe('a cluster of two hosts in the background', () => {
  const { root, directory, attempt, berth, state, ecs, containers, remove } = cluster()
  const logs = () =>
    readdirSync(directory.logs)
      .map((name) => readFileSync(join(directory.logs, name), 'utf8'))
      .join('\n')

  beforeAll(async () => {
    expect(await berth('up', '--detach', '--hosts', '2', '--port', '0')).toContain('Berth is up, with 2 hosts')
  })
  afterAll(remove)

  const startTwoTasks = async () => {
    const call = await ecs()
    await call('RegisterTaskDefinition', {
      family: 'sleeper',
      containerDefinitions: [
        { name: 'main', image, memory: 16, cpu: 16, portMappings: [{ containerPort: 80, hostPort: 8080 }] },
      ],
    })
    await call('CreateService', { serviceName: 'two', taskDefinition: 'sleeper', desiredCount: 2 })
    await twoTasksRun()
  }
  const twoTasksRun = async () => {
    const call = await ecs()
    await vi.waitFor(
      async () => {
        const { services } = await call<{ services: object[] }>('DescribeServices', { services: ['two'] })
        expect(services).toMatchObject([{ runningCount: 2, pendingCount: 0 }])
      },
      { timeout: 60_000, interval: 200 },
    )
  }

  test('has its hosts registered and connected when the command returns, each with its name and address', async () => {
    const view = JSON.parse(await berth('status', '--json')) as object
    const [one, two] = state().hosts
    expect(view).toMatchObject({
      supervised: true,
      hosts: [
        { name: 'host-1', cluster: 'default', connected: true, zone: 'us-east-1a', address: one?.address },
        { name: 'host-2', cluster: 'default', connected: true, zone: 'us-east-1b', address: two?.address },
      ],
      services: [],
    })
    expect(one?.address).not.toBe(two?.address)
  })

  test('keeps what it writes from others', () => {
    for (const path of [directory.accessKeys, directory.secrets, directory.run, directory.log('redis')]) {
      expect([path, statSync(path).mode & 0o077]).toEqual([path, 0])
    }
    expect(statSync(directory.redis).mode & 0o077).toBe(0)
  })

  test('has a Redis that loses nothing, forgets nothing, and is for nobody else', async () => {
    const port = state().ports.redis
    const { redisPassword } = readOrMakeSecrets(directory)
    const stranger = new Redis({ port, lazyConnect: true, retryStrategy: () => null })
    stranger.on('error', () => undefined)
    await expect(stranger.ping()).rejects.toThrow('NOAUTH')
    stranger.disconnect()
    const redis = new Redis({ port, password: redisPassword })
    const setting = async (name: string) => (await redis.config('GET', name))[1]
    expect(await setting('appendonly')).toBe('yes')
    expect(await setting('appendfsync')).toBe('always')
    expect(await setting('save')).toBe('')
    expect(await setting('maxmemory-policy')).toBe('noeviction')
    redis.disconnect()
  })

  test('is not started twice', async () => {
    const before = state()
    expect(await berth('up')).toContain(`already up at ${before.endpoint}`)
    expect(await berth('up', '--detach', '--hosts', '3')).toContain('To run it otherwise, end it first')
    expect(state()).toEqual(before)
  })

  test("runs tasks on every host's own address", async () => {
    await startTwoTasks()
    const ports = await Promise.all(
      (await containers()).map(async (id) => (await docker.getContainer(id).inspect()).HostConfig.PortBindings),
    )
    const addresses = ports.flatMap((bindings: Record<string, { HostIp: string }[]>) =>
      Object.values(bindings).flatMap((each) => each.map(({ HostIp }) => HostIp)),
    )
    expect(addresses.sort()).toEqual(
      state()
        .hosts.map(({ address }) => address)
        .sort(),
    )
    expect(await berth('status')).toMatch(/two +default +sleeper:1 +2 +2 +0/)
  })

  test.each(['agent-1', 'control-plane', 'redis'])(
    'has %s back when it is killed, with the same containers',
    async (name) => {
      const running = await containers()
      const killed = identityOf(state(), name)
      process.kill(killed?.pid ?? 0, 'SIGKILL')
      await vi.waitFor(
        async () => {
          const now = identityOf(state(), name)
          expect(now?.pid).not.toBe(killed?.pid)
          expect(now && isAlive(now)).toBe(true)
          const { stdout } = await attempt(['status'])
          expect(stdout).toContain(`${name} has been restarted once.`)
          expect(stdout).not.toContain('DISCONNECTED')
        },
        { timeout: 60_000, interval: 200 },
      )
      await twoTasksRun()
      expect(await containers()).toEqual(running)
    },
  )

  test('is taken over when its supervisor was killed, with the same endpoint and containers', async () => {
    const before = state()
    const running = await containers()
    process.kill(before.supervisor.pid, 'SIGKILL')
    await vi.waitFor(() => expect(isAlive(before.supervisor)).toBe(false), { timeout: 10_000 })
    expect(await berth('status')).toContain('Nobody looks after it')

    expect(await berth('up', '--detach')).toContain('Took over')
    expect(state().endpoint).toBe(before.endpoint)
    expect(identitiesOf(before).filter(isAlive)).toEqual([])
    await twoTasksRun()
    expect(await containers()).toEqual(running)
  })

  test('goes down without its tasks, and comes back to them', async () => {
    const running = await containers()
    const before = state()
    await berth('down', '--keep-tasks')
    expect(identitiesOf(before).filter(isAlive)).toEqual([])
    expect(existsSync(directory.run)).toBe(false)
    expect(await containers()).toEqual(running)

    // As many hosts as at the start before, though nobody says so this time.
    await berth('up', '--detach')
    expect(state().hosts).toHaveLength(2)
    await twoTasksRun()
    expect(await containers()).toEqual(running)
  })

  test('goes down with its containers, and comes back with new ones', async () => {
    const before = state()
    const stopped = await containers()
    expect(await berth('down')).toContain('Removed 2 containers')
    expect(await containers()).toEqual([])
    expect(identitiesOf(before).filter(isAlive)).toEqual([])

    await berth('up', '--detach')
    // Its host tells of the loss first, or the count is of tasks that are gone.
    await vi.waitFor(async () => expect(await containers()).toHaveLength(2), { timeout: 60_000, interval: 200 })
    await twoTasksRun()
    expect((await containers()).filter((id) => stopped.includes(id))).toEqual([])
    expect(await berth('down')).toContain('Removed')
    expect(await berth('down')).toContain('Berth was not up')
  })

  test('has no environment and no status when it is down', async () => {
    for (const command of ['env', 'status']) {
      const { code, stdout, stderr } = await attempt([command])
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
      expect(stderr).toContain(`Berth is not up (data directory ${root})`)
    }
  })

  test('has written no secret to its logs', () => {
    const { agentToken, redisPassword } = readOrMakeSecrets(directory)
    expect(logs()).not.toContain(agentToken)
    expect(logs()).not.toContain(redisPassword)
  })
})

describe('a cluster in the foreground', () => {
  test('ends with all that belongs to it at a Ctrl-C', async () => {
    const { root, state, directory, berth, remove } = cluster()
    try {
      const child = spawn(launcher, ['up', '--hosts', '1', '--port', '0', '--data-dir', root], {
        env: environment,
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const said = text(child.stdout)
      await vi.waitFor(() => expect(readRunState(directory)?.phase).toBe('ready'), { timeout: 60_000, interval: 50 })
      const before = state()
      // npm passes on what the terminal sends to everybody.
      child.kill('SIGINT')
      child.kill('SIGINT')
      expect(await once(child, 'exit')).toEqual([0, null])
      expect(await said).toContain('Berth is up, with 1 host in the cluster "default".')
      expect(identitiesOf(before).filter(isAlive)).toEqual([])
      expect(await berth('down')).toContain('Berth was not up')
    } finally {
      await remove()
    }
  })
})

describe('a cluster that cannot be started says why, and leaves nothing running', () => {
  const { attempt, directory, remove } = cluster()
  afterAll(remove)

  test.each([
    ['Docker does not answer', ['--port', '0'], { DOCKER_HOST: 'unix:///nonexistent/docker.sock' }, 'docker.sock'],
    ['an agent is told nonsense', ['--port', '0'], { ECS_RESERVED_MEMORY: 'much' }, 'ECS_RESERVED_MEMORY'],
    ['the control plane is told nonsense', ['--port', '0'], { BERTH_SETTLE_TIME: 'soon' }, 'BERTH_SETTLE_TIME'],
  ])('when %s', async (_when, args, more, reason) => {
    const { code, stderr } = await attempt(['up', '--detach', '--hosts', '1', ...args], more)
    expect(code).toBe(1)
    expect(stderr).toContain(reason)
    expect(existsSync(directory.run)).toBe(false)
  })

  test('when its port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as { port: number }
    const { code, stderr } = await attempt(['up', '--detach', '--port', String(port)])
    other.close()
    expect(code).toBe(1)
    expect(stderr).toContain(`Port ${port} at 127.0.0.1 cannot be had`)
  })

  test('when its account is not that of the state', async () => {
    const { code, stderr } = await attempt(['up', '--detach', '--account', '999999999999'])
    expect(code).toBe(1)
    expect(stderr).toContain('has account 123456789012')
  })
})
