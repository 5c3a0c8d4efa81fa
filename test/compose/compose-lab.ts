import { randomBytes } from 'node:crypto'
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Docker from 'dockerode'
import { run } from '../../scripts/package/run.ts'
import { type AwsRunner, awsClis, awsRunner } from '../e2e/aws-cli.ts'
import { freePort } from '../docker/docker-under-test.ts'
import { makeBusyboxImage } from '../images/busybox-image.ts'

const root = join(import.meta.dirname, '../..')
const projectLabel = 'com.docker.compose.project'

/** What the lab's image answers over HTTP. */
export const greeting = 'Hello from the lab.'

/** The lab of `deploy/compose` under a name of its own, from a copy of its directory. */
export interface ComposeLab {
  /** The image that its hosts are given. */
  readonly image: string
  /** `docker-compose up` with so many hosts. @throws when something of it does not come up, with what all of it logged. */
  up(agents: number): Promise<void>
  /** Runs `docker-compose` on it. @throws when it fails, with what it said. */
  compose(...args: readonly string[]): Promise<string>
  /** Runs a command in a container of it. */
  inside(container: Docker.ContainerInfo, ...command: readonly string[]): Promise<string>
  /** Its containers of a service, by number; also those that do not run. */
  containers(service: string): Promise<readonly Docker.ContainerInfo[]>
  /** What `env.sh` makes of an environment. */
  variables(): Promise<Readonly<Record<string, string>>>
  aws(): Promise<AwsRunner>
  /** Ends a container as if its machine lost power. */
  kill(container: Docker.ContainerInfo): Promise<void>
  /** Everything of it that is on the engine: containers, volumes and networks, by name. */
  remains(): Promise<readonly string[]>
  /** Removes what is on the engine, but the stand-ins for the base images. */
  dispose(): Promise<void>
}

/**
 * Makes packages, stand-ins and images, and prepares a lab that is not up yet. `BERTH_PACKAGES_DIR` names a directory with
 * packages that are made already; `DEBIAN_IMAGE`, `REDIS_IMAGE` and `HAPROXY_IMAGE` name bases.
 */
export async function makeComposeLab(settings: Readonly<Record<string, string>>): Promise<ComposeLab> {
  const docker = new Docker()
  const project = `berth-test-${randomBytes(4).toString('hex')}`
  const scratch = await mkdtemp(join(tmpdir(), 'berth-compose-'))
  const directory = join(scratch, 'lab')
  const image = `${project}/web:1`
  const environment: NodeJS.ProcessEnv = {
    ...process.env,
    ...settings,
    COMPOSE_PROJECT_NAME: project,
    BERTH_TAG: project,
    API_PORT: String(await freePort()),
  }
  const program = await run('docker', ['compose', 'version']).then(
    () => ['docker', 'compose'] as const,
    () => ['docker-compose'] as const,
  )
  const inLab = (command: string, ...args: readonly string[]) =>
    run(command, args, { cwd: directory, env: environment })
  const compose = (...args: readonly string[]) => inLab(program[0], ...program.slice(1), ...args)
  const ofProject = { label: [`${projectLabel}=${project}`] }
  const variables = async () => exportsIn(await inLab('./env.sh'))

  const lab: ComposeLab = {
    image,
    async up(agents) {
      await compose('up', '--detach', '--scale', `agent=${agents}`).catch(async (cause: unknown) => {
        throw new Error(`the lab does not come up\n${await compose('logs', '--tail', '20')}`, { cause })
      })
    },
    compose,
    variables,
    inside: ({ Id }, ...command) => run('docker', ['exec', Id, ...command]),
    async containers(service) {
      const label = [...ofProject.label, `com.docker.compose.service=${service}`, 'com.docker.compose.oneoff=False']
      const found = await docker.listContainers({ all: true, filters: { label } })
      return found.sort((a, b) => numberOf(a) - numberOf(b))
    },
    async aws() {
      const [cli] = await awsClis()
      if (cli === undefined) throw new Error('The aws command is needed: apt-get install awscli')
      const told = await variables()
      return awsRunner(cli, { endpoint: told['AWS_ENDPOINT_URL'] ?? '', variables: told })
    },
    kill: ({ Id }) => docker.getContainer(Id).kill() as Promise<void>,
    async remains() {
      const containers = await docker.listContainers({ all: true, filters: ofProject })
      const { Volumes } = await docker.listVolumes({ filters: ofProject })
      const networks = await docker.listNetworks({ filters: ofProject })
      return [
        ...containers.map(({ Names }) => Names.join()),
        ...(Volumes ?? []).map(({ Name }) => Name),
        ...networks.map(({ Name }) => Name),
      ]
    },
    async dispose() {
      await compose('down', '--volumes', '--timeout', '5')
      for (const name of [image, `berth-lab/agent:${project}`, `berth-lab/control-plane:${project}`])
        await docker
          .getImage(name)
          .remove()
          .catch(() => undefined)
      await rm(scratch, { recursive: true, force: true })
    },
  }

  await cp(join(root, 'deploy/compose'), directory, { recursive: true })
  await putPackages(join(directory, 'packages'))
  if (!process.env['DEBIAN_IMAGE']) Object.assign(environment, exportsIn(await inLab('./stand-ins.sh')))
  const command = ['sh', '-c', 'trap "exit 0" TERM; httpd -f -p 80 -h /www & wait']
  await makeBusyboxImage({ reference: image, command, files: { '/www/index.html': greeting } }, docker)
  try {
    await run('docker', ['save', '--output', join(directory, 'images/web.tar'), image])
    await compose('build')
  } catch (error) {
    await lab.dispose()
    throw error
  }
  return lab
}

async function putPackages(directory: string): Promise<void> {
  const made = process.env['BERTH_PACKAGES_DIR']
  await rm(directory, { recursive: true, force: true })
  if (made === undefined) {
    const program = join(root, 'scripts/package/main.ts')
    await run(process.execPath, [program, '--arch', process.arch, '--quick', '--out', directory], { cwd: root })
    return
  }
  const packages = (await readdir(made)).filter((name) => name.endsWith('.deb'))
  for (const name of packages) await cp(join(made, name), join(directory, name))
}

/** What a script makes of an environment that is to be evaluated by a shell, where no value has a blank in it. */
const exportsIn = (script: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    script
      .split('\n')
      .filter((line) => line.startsWith('export '))
      .flatMap((line) => line.slice('export '.length).split(' '))
      .map((assignment) => [
        assignment.slice(0, assignment.indexOf('=')),
        assignment.slice(assignment.indexOf('=') + 1),
      ]),
  )

const numberOf = ({ Labels }: Docker.ContainerInfo): number => Number(Labels['com.docker.compose.container-number'])
