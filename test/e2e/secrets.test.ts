import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ContainerDefinition, Task } from '@aws-sdk/client-ecs'
import { pauseProgram } from '@berth/agent/runtime/docker/pause-program.ts'
import Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TinyRegistry, tinyRegistry } from '../images/tiny-registry.ts'
import { awsClis } from './aws-cli.ts'
import { clusterForTests } from './cluster-in-test.ts'
import { eventually } from './eventually.ts'
import { sleeperImage } from './test-images.ts'

const clis = await awsClis()

const secretWord = 'hunter2-of-the-end-to-end-test'
const asm = (rest: string) => `arn:aws:secretsmanager:us-east-1:123456789012:secret:${rest}`

const root = mkdtempSync(join(tmpdir(), 'berth-secrets-e2e-'))
const secretsFile = join(root, 'secrets.json')

describe.skipIf(clis.length === 0)('secrets, environment files and private images, by the aws command', () => {
  const under = clusterForTests({
    hosts: 1,
    environment: { BERTH_SECRETS_FILE: secretsFile, BERTH_ENVIRONMENT_FILES: join(root, 'files') },
  })
  let registry: TinyRegistry
  beforeAll(async () => {
    const secrets = {
      parameters: { '/app/token': `parameter ${secretWord}` },
      secrets: {
        db: { versions: [{ id: '1', stages: ['AWSCURRENT'], value: { password: `json ${secretWord}` } }] },
        registry: { value: { username: 'puller', password: 'pull-password' } },
      },
    }
    writeFileSync(secretsFile, JSON.stringify(secrets), { mode: 0o600 })
    mkdirSync(join(root, 'files/config/app'), { recursive: true })
    writeFileSync(join(root, 'files/config/app/one.env'), '# first\nA=one\nB= as "it" is \nDECLARED=file\n')
    writeFileSync(join(root, 'files/config/app/two.env'), 'A=two\nC=two\n')
    registry = await tinyRegistry()
    registry.requireCredentials('puller', 'pull-password')
  })
  afterAll(async () => {
    await registry.close()
    const docker = new Docker()
    for (const { Id, RepoTags, RepoDigests } of await docker.listImages({ all: true }))
      if (JSON.stringify([RepoTags, RepoDigests]).includes(`${registry.address}/`))
        await docker
          .getImage(Id)
          .remove({ force: true })
          .catch(() => undefined)
    rmSync(root, { recursive: true, force: true })
  })

  const aws = () => under.current.aws[0] as (typeof under.current.aws)[number]

  /** Runs a task of one container and returns it once `has` holds. */
  async function run(family: string, container: ContainerDefinition, has: (task: Task) => boolean): Promise<Task> {
    const containers = JSON.stringify([{ name: 'app', image: sleeperImage, memory: 32, ...container }])
    await aws().json('register-task-definition', '--family', family, '--container-definitions', containers)
    const { tasks } = await aws().json<{ tasks: Task[] }>('run-task', '--task-definition', family)
    const arn = tasks[0]?.taskArn ?? ''
    return eventually(`the task of ${family} is as it must be`, async () => {
      const [task] = (await aws().json<{ tasks: Task[] }>('describe-tasks', '--tasks', arn)).tasks
      return task && has(task) ? task : undefined
    })
  }
  const isRunning = ({ lastStatus }: Task) => lastStatus === 'RUNNING'
  const isStopped = ({ lastStatus }: Task) => lastStatus === 'STOPPED'

  const variablesOf = async (task: Task): Promise<readonly string[]> =>
    (await under.current.docker.getContainer(task.containers?.[0]?.runtimeId ?? '').inspect()).Config.Env

  it('reach the container, and no other place', async () => {
    const task = await run(
      'secretive',
      {
        environment: [{ name: 'DECLARED', value: 'definition' }],
        environmentFiles: ['one', 'two'].map((name) => ({
          type: 's3',
          value: `arn:aws:s3:::config/app/${name}.env`,
        })),
        secrets: [
          { name: 'TOKEN', valueFrom: '/app/token' },
          { name: 'DB_PASSWORD', valueFrom: asm('db-AbCdEf:password::') },
        ],
      },
      isRunning,
    )
    expect(await variablesOf(task)).toEqual(
      expect.arrayContaining([
        'DECLARED=definition',
        'A=one',
        'B= as "it" is ',
        'C=two',
        `TOKEN=parameter ${secretWord}`,
        `DB_PASSWORD=json ${secretWord}`,
      ]),
    )
    expect(JSON.stringify(task)).not.toContain(secretWord)
    const holdersOf = (word: string) =>
      filesUnder(under.current.root).filter((path) => readFileSync(path).includes(word))
    expect(holdersOf('/app/token')).not.toEqual([])
    expect(holdersOf(secretWord)).toEqual([])
    await aws().json('stop-task', '--task', task.taskArn ?? '')
  })

  it('that cannot be had stop the task with the reason that ECS gives', async () => {
    const absent = await run('absent', { secrets: [{ name: 'X', valueFrom: '/app/none' }] }, isStopped)
    expect(absent.stopCode).toBe('TaskFailedToStart')
    expect(absent.stoppedReason).toBe(
      'ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: ' +
        'unable to retrieve secrets from ssm: invalid parameters: /app/none',
    )
    const noFile = await run(
      'no-file',
      { environmentFiles: [{ type: 's3', value: 'arn:aws:s3:::config/none.env' }] },
      isStopped,
    )
    expect(noFile.stoppedReason).toMatch(/^ResourceInitializationError: failed to download env files: .*NoSuchKey/)
  })

  it('sign in to the registry of an image', async () => {
    await registry.publish('team/private', '1', `private ${registry.address}`)
    const image = `${registry.address}/team/private:1`
    const refused = await run('without-credentials', { image }, isStopped)
    expect(refused.stoppedReason).toMatch(/^CannotPullContainerError: .*(authentication|credentials|unauthorized)/)
    const pulled = await run(
      'with-credentials',
      { image, repositoryCredentials: { credentialsParameter: asm('registry-AbCdEf') } },
      isStopped,
    )
    // The image holds no program: that it is started at all is what was to be seen.
    expect(pulled.stoppedReason).not.toMatch(/CannotPull/)
    expect(pulled.pullStoppedAt).toBeDefined()
    await under.current.docker.getImage(image).inspect()
  })

  it('a deployment runs one image, also when its tag moves meanwhile', async () => {
    const publish = (what: string) =>
      registry.publish(
        'team/moving',
        '1',
        Buffer.concat([pauseProgram(process.arch === 'arm64' ? 'arm64' : 'amd64'), Buffer.from(what)]),
      )
    const image = `${registry.address}/team/moving:1`
    const digests = [await publish('first'), await publish('second'), await publish('first')]
    expect(digests[0]).toBe(digests[2])
    const credentialsParameter = asm('registry-AbCdEf')
    const container = {
      name: 'app',
      image,
      memory: 16,
      stopTimeout: 2,
      repositoryCredentials: { credentialsParameter },
    }
    await aws().json(
      'register-task-definition',
      '--family',
      'moving',
      '--container-definitions',
      JSON.stringify([container]),
    )
    const running = (count: number) =>
      eventually(`${count} tasks of the service run alone`, async () => {
        const { taskArns } = await aws().json<{ taskArns: string[] }>('list-tasks', '--service-name', 'moving')
        if (taskArns.length !== count) return undefined
        const { tasks } = await aws().json<{ tasks: Task[] }>('describe-tasks', '--tasks', ...taskArns)
        return tasks.every(isRunning) ? tasks.map(({ containers }) => containers?.[0]?.imageDigest) : undefined
      })
    try {
      await aws().json('create-service --service-name moving --task-definition moving --desired-count 1')
      expect(await running(1)).toEqual([digests[0]])
      await publish('second')
      await aws().json('update-service --service moving --desired-count 2')
      expect(await running(2)).toEqual([digests[0], digests[0]])
      await aws().json('update-service --service moving --desired-count 1 --force-new-deployment')
      expect(
        await eventually('the new deployment runs alone', async () => {
          return (await running(1))[0] === digests[1] ? true : undefined
        }),
      ).toBe(true)
    } finally {
      await aws().json('delete-service --service moving --force')
      await eventually('its tasks have stopped', async () => {
        const { taskArns } = await aws().json<{ taskArns: string[] }>('list-tasks', '--service-name', 'moving')
        return taskArns.length === 0 ? true : undefined
      })
    }
  })
})

function filesUnder(directory: string): string[] {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name)
    const kind = statSync(path, { throwIfNoEntry: false })
    if (kind?.isDirectory() === true) return filesUnder(path)
    return kind?.isFile() === true ? [path] : []
  })
}
