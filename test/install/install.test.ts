import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from '../../scripts/package/run.ts'
import { eventually } from '../e2e/eventually.ts'
import { makeBusyboxImage } from '../images/busybox-image.ts'
import { type InstalledCluster, installedCluster } from './installed-cluster.ts'
import { machineImage } from './machine-image.ts'
import { bootMachine, type Machine } from './machine.ts'
import { installedVersion, nextVersion, packagesOf } from './packages-under-test.ts'

let scratch: string
let machine: Machine
let cluster: InstalledCluster
let taskArn: string
/** All that lay on the machine before anything was installed. */
let filesBefore: string

const image = 'berth-test/installed:1'

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'berth-install-'))
  machine = await bootMachine(await machineImage())
  for (const version of [installedVersion, nextVersion])
    await machine.copyIn(await packagesOf(version, scratch), `/root/${version}`)
  await makeBusyboxImage({ reference: image })
  await run('docker', ['save', '--output', join(scratch, 'image.tar'), image])
  await machine.copyIn(join(scratch, 'image.tar'), '/root/image.tar')
  await machine.sh('docker load --quiet --input /root/image.tar')
  filesBefore = await filesOf()
})
afterAll(async () => {
  await machine?.remove()
  await rm(scratch, { recursive: true, force: true })
})

/** Every file and directory, but what belongs to Docker, Redis, the package manager and the log. */
const filesOf = () =>
  machine.sh(
    `find / -xdev \\( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /root -o -path '/var/lib/docker*' \
      -o -path '/var/lib/containerd*' -o -path /var/lib/redis -o -path /var/log -o -path /var/cache -o -path /var/lib/dpkg \
      -o -path /var/lib/systemd -o -path /var/tmp -o -name '*-' \\) -prune -o -print | sort`,
  )

const enabledUnits = () => machine.sh('find /etc/systemd -name "berth*"')
const installPackage = (name: string, version: string) =>
  machine.sh(`dpkg -i /root/${version}/${name}_${version}_*.deb`)
const property = async (unit: string, name: string) =>
  (await machine.sh(`systemctl show --property ${name} --value ${unit}`)).trim()
const newToken = async () => (await machine.sh('berth token create 2>/dev/null')).trim()

/** The one container of a task on the machine's engine: its id, and when it was started. */
const container = async () =>
  (
    await machine.sh(
      `docker ps --quiet --no-trunc --filter ancestor=${image} | xargs docker inspect --format '{{.Id}} {{.State.StartedAt}}'`,
    )
  ).trim()

const taskRuns = () =>
  eventually('the task runs', async () => {
    const task = await cluster.task(taskArn)
    return task.lastStatus === 'RUNNING' && task.connectivity !== 'DISCONNECTED' ? task : undefined
  })

/** Resolves when the host has been heard of by this start of its agent. */
async function hostIsBack(work: () => Promise<unknown>): Promise<void> {
  const before = await property('berth-agent', 'MainPID')
  await work()
  await eventually('another process of the agent', async () => {
    const now = await property('berth-agent', 'MainPID')
    return now !== before && now !== '0' ? true : undefined
  })
  await eventually('it has joined', async () =>
    (
      await machine.sh(
        `journalctl --unit berth-agent _PID=$(systemctl show --property MainPID --value berth-agent) --output cat`,
      )
    ).includes('Joined the control plane')
      ? true
      : undefined,
  )
}

describe('a control plane from a Debian package', () => {
  it('is there after the package was installed and its service started, under a user of its own', async () => {
    await installPackage('berth', installedVersion)
    expect(await property('berth', 'ActiveState')).toBe('inactive')
    expect(await property('berth', 'UnitFileState')).toBe('enabled')
    await machine.sh(
      'redis-cli config set appendonly yes && redis-cli config set appendfsync always && systemctl start berth',
    )
    cluster = await installedCluster(machine)
    const pid = await property('berth', 'MainPID')
    const status = await machine.sh(
      `ps -o user= -p ${pid}; grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/${pid}/status`,
    )
    expect(status.split(/\s+/).filter(Boolean)).toEqual([
      'berth',
      'CapEff:',
      '0'.repeat(16),
      'NoNewPrivs:',
      '1',
      'Seccomp:',
      '2',
    ])
  })

  it('keeps its keys for itself, and its settings for itself and root', async () => {
    const modes = await machine.sh(
      "cd /var/lib/berth/control-plane && stat --format '%n %U %a' . secret.key access-keys.json /etc/berth/control-plane.env",
    )
    expect(modes.trim().split('\n')).toEqual([
      '. berth 700',
      'secret.key berth 600',
      'access-keys.json berth 600',
      '/etc/berth/control-plane.env root 640',
    ])
    await expect(machine.sh('runuser -u nobody -- berth token list')).rejects.toThrow('Only root may read')
  })

  it('is also a whole cluster on one machine, from the same file', async () => {
    const cluster = '--data-dir /var/tmp/up'
    await machine.sh(`berth up --detach --hosts 2 --port 4600 ${cluster}`)
    expect(await machine.sh(`berth status ${cluster}`)).toMatch(/host-1 .*connected[^]*host-2 .*connected/)
    await machine.sh(`berth down ${cluster} && rm -r /var/tmp/up`)
  })
})

describe('a host from a Debian package', () => {
  it('waits for a control plane, and is not started again and again', async () => {
    await installPackage('berth-agent', installedVersion)
    expect(await property('berth-agent', 'UnitFileState')).toBe('enabled')
    expect(await property('berth-agent', 'ActiveState')).toBe('inactive')
    expect(await property('berth-agent', 'NRestarts')).toBe('0')
    expect(await machine.sh('journalctl --unit berth-agent --output cat')).toContain(
      'This host has not joined a control plane',
    )
  })

  it('is a container instance after one more command, with what it was told and what it has', async () => {
    const options = '--attribute stack=blue --zone us-east-1b --reserve-memory 256 --reserve-cpu 128'
    const said = await machine.sh(`berth-agent join --server ${cluster.api} --token ${await newToken()} ${options}`)
    expect(said).toContain('Started berth-agent.service')
    const host = await cluster.connectedHost()
    const value = (name: string) => host.attributes?.find((attribute) => attribute.name === name)?.value
    expect([value('stack'), value('ecs.availability-zone')]).toEqual(['blue', 'us-east-1b'])
    expect(host.versionInfo?.agentVersion).toBe(installedVersion)
    expect(host.versionInfo?.dockerVersion).toContain(
      (await machine.sh("docker version --format '{{.Server.Version}}'")).trim(),
    )
    const registered = (name: string) =>
      host.registeredResources?.find((resource) => resource.name === name)?.integerValue
    const [cores, memoryKib] = (await machine.sh("nproc; awk '/MemTotal/ { print $2 }' /proc/meminfo"))
      .split('\n')
      .map(Number)
    expect(registered('CPU')).toBe((cores ?? 0) * 1024 - 128)
    expect(registered('MEMORY')).toBe(Math.floor((memoryKib ?? 0) / 1024) - 256)
  })

  it('has no rights beyond reading the log of the kernel', async () => {
    const pid = await property('berth-agent', 'MainPID')
    // CAP_SYSLOG and no other.
    expect(await machine.sh(`grep CapEff /proc/${pid}/status`)).toContain('0000000400000000')
    await expect(machine.sh(`nsenter --target ${pid} --mount touch /etc/berth/x`)).rejects.toThrow('Read-only')
  })

  it('runs a task', async () => {
    await cluster.ecs('RegisterTaskDefinition', {
      family: 'sleeper',
      containerDefinitions: [{ name: 'app', image, memory: 32, cpu: 64 }],
    })
    const { tasks } = await cluster.ecs<{ tasks: { taskArn: string }[] }>('RunTask', { taskDefinition: 'sleeper' })
    taskArn = tasks[0]?.taskArn ?? ''
    await taskRuns()
    expect(await container()).toMatch(/^[0-9a-f]{64} /)
  })
})

describe('while its task runs', () => {
  it.each([
    ['the agent is restarted', 'systemctl restart berth-agent'],
    ['the agent is killed', 'systemctl kill --signal KILL --kill-whom main berth-agent'],
  ])('%s: the same container runs on', async (_, command) => {
    const before = await container()
    await hostIsBack(() => machine.sh(command))
    await taskRuns()
    expect(await container()).toBe(before)
  })

  it('the control plane is restarted: the same container runs on', async () => {
    const before = await container()
    await machine.sh('systemctl restart berth')
    await eventually('it leads again', () => cluster.ecs('ListClusters', {}))
    await cluster.connectedHost()
    await taskRuns()
    expect(await container()).toBe(before)
  })

  it('both are upgraded: the same container runs on, and settings stay as they are', async () => {
    const before = await container()
    await machine.sh(
      'echo "# mine" >>/etc/berth/control-plane.env && echo "BERTH_LOG_LEVEL=debug" >>/etc/berth/agent.env',
    )
    await installPackage('berth', nextVersion)
    await eventually('it leads again', () => cluster.ecs('ListClusters', {}))
    await hostIsBack(() => installPackage('berth-agent', nextVersion))
    const host = await cluster.connectedHost()
    expect(host.versionInfo?.agentVersion).toBe(nextVersion)
    expect(host.attributes).toContainEqual(expect.objectContaining({ name: 'stack', value: 'blue' }))
    expect(await machine.sh('berth --version')).toContain(`berth ${nextVersion} `)
    expect(await machine.sh('tail -n 1 /etc/berth/*.env')).toMatch(/BERTH_LOG_LEVEL=debug[^]*# mine/)
    await taskRuns()
    expect(await container()).toBe(before)
  })

  it('the agent is removed: container, settings and what it knew stay; after another installation it is the same host', async () => {
    const before = { container: await container(), host: (await cluster.connectedHost()).containerInstanceArn }
    await machine.sh('dpkg --remove berth-agent')
    expect(await enabledUnits()).not.toContain('agent')
    await expect(machine.sh('systemctl cat berth-agent')).rejects.toThrow('No files found')
    expect(
      await machine.sh('ls /etc/berth /var/lib/berth/agent; ls /usr/bin/berth*; ls -d /usr/share/doc/berth*'),
    ).toMatch(/agent\.env[^]*joined\.env\n\/usr\/bin\/berth\n\/usr\/share\/doc\/berth\n$/)
    expect(await container()).toBe(before.container)
    await hostIsBack(() => installPackage('berth-agent', nextVersion))
    expect((await cluster.connectedHost()).containerInstanceArn).toBe(before.host)
    await taskRuns()
    expect(await container()).toBe(before.container)
  })

  it('it is stopped by its cluster', async () => {
    await cluster.ecs('StopTask', { task: taskArn })
    await eventually('it has stopped', async () =>
      (await cluster.task(taskArn)).lastStatus === 'STOPPED' ? true : undefined,
    )
    expect(await machine.sh(`docker ps --quiet --filter ancestor=${image}`)).toBe('')
  })
})

describe('a host that is deregistered', () => {
  it('has its agent end, and not start again', async () => {
    const { containerInstanceArn } = await cluster.connectedHost()
    await cluster.ecs('DeregisterContainerInstance', { containerInstance: containerInstanceArn, force: true })
    await eventually('the agent has ended', async () =>
      (await property('berth-agent', 'ActiveState')) === 'failed' ? true : undefined,
    )
    expect(await property('berth-agent', 'ExecMainStatus')).toBe('5')
  })
})

describe('packages that are purged', () => {
  it('leave no file, no user, no unit and no process', async () => {
    await machine.sh('dpkg --purge berth-agent berth')
    expect(await filesOf()).toBe(filesBefore)
    expect(await machine.sh('getent passwd berth || getent group berth || true')).toBe('')
    expect(
      await machine.sh(
        "systemctl list-units --all --plain --no-legend 'berth*'; systemctl list-unit-files --no-legend 'berth*' || true",
      ),
    ).toBe('')
    expect(await machine.sh('pgrep --full --list-full "/usr/bin/[b]erth" || true')).toBe('')
  })
})

describe('install.sh, where there are no Debian packages', () => {
  const installProgram = (name: string, version: string) => machine.sh(`sh /root/${version}/install.sh ${name}`)

  it('refuses an archive that is damaged, and installs nothing of it', async () => {
    await machine.sh(
      `cp -r /root/${installedVersion} /root/damaged && printf x >>$(ls /root/damaged/berth-${installedVersion}-linux-*.tar.gz)`,
    )
    await expect(installProgram('berth', 'damaged')).rejects.toThrow('is damaged')
    expect(await filesOf()).toBe(filesBefore)
  })

  it('makes services of both programs, by which a host joins', async () => {
    // The state that is left in Redis belongs to a control plane whose keys are gone.
    await machine.sh('redis-cli flushall')
    expect(await installProgram('berth', installedVersion)).toContain(`Installed: berth ${installedVersion} `)
    await machine.sh('systemctl start berth')
    cluster = await installedCluster(machine)
    await installProgram('berth-agent', installedVersion)
    expect(await property('berth-agent', 'ActiveState')).toBe('inactive')
    await machine.sh(`berth-agent join --server ${cluster.api} --token ${await newToken()}`)
    expect((await cluster.connectedHost()).versionInfo?.agentVersion).toBe(installedVersion)
  })

  it('upgrades them under a container that runs on', async () => {
    await cluster.ecs('RegisterTaskDefinition', {
      family: 'sleeper',
      containerDefinitions: [{ name: 'app', image, memory: 32, cpu: 64 }],
    })
    const { tasks } = await cluster.ecs<{ tasks: { taskArn: string }[] }>('RunTask', { taskDefinition: 'sleeper' })
    taskArn = tasks[0]?.taskArn ?? ''
    await taskRuns()
    const before = await container()
    await installProgram('berth', nextVersion)
    await eventually('it leads again', () => cluster.ecs('ListClusters', {}))
    await hostIsBack(() => installProgram('berth-agent', nextVersion))
    expect((await cluster.connectedHost()).versionInfo?.agentVersion).toBe(nextVersion)
    await taskRuns()
    expect(await container()).toBe(before)
    await cluster.ecs('StopTask', { task: taskArn })
    await eventually('it has stopped', async () =>
      (await cluster.task(taskArn)).lastStatus === 'STOPPED' ? true : undefined,
    )
  })

  it('leaves settings and state when it uninstalls, and nothing when it purges', async () => {
    for (const name of ['berth-agent', 'berth'])
      await machine.sh(`sh /root/${nextVersion}/install.sh --uninstall ${name}`)
    expect(await machine.sh('ls /etc/berth')).toBe('agent.env\ncontrol-plane.env\n')
    expect(await enabledUnits()).toBe('')
    for (const name of ['berth-agent', 'berth']) await machine.sh(`sh /root/${nextVersion}/install.sh --purge ${name}`)
    expect(await filesOf()).toBe(filesBefore)
    expect(await machine.sh('getent passwd berth || getent group berth || true')).toBe('')
  })
})
