import { randomBytes } from 'node:crypto'
import { run } from '../../scripts/package/run.ts'
import { eventually } from '../e2e/eventually.ts'

/** A container in which systemd is the first process, with an engine and disks of its own: as near to a machine as a test comes. */
export interface Machine {
  /** Its name on the outer engine, and its own. */
  readonly name: string
  /** Runs a shell's words in it, as root. @throws Error with what was said, when it fails. */
  sh(script: string): Promise<string>
  /** Puts a file or a directory of this machine into it. */
  copyIn(source: string, target: string): Promise<void>
  remove(): Promise<void>
}

/** What systemd and an engine need, named one by one: all but SYS_RESOURCE, which the outer engine may not have itself. */
const capabilities = [
  'AUDIT_CONTROL',
  'AUDIT_READ',
  'AUDIT_WRITE',
  'BLOCK_SUSPEND',
  'CHOWN',
  'DAC_OVERRIDE',
  'DAC_READ_SEARCH',
  'FOWNER',
  'FSETID',
  'IPC_LOCK',
  'IPC_OWNER',
  'KILL',
  'LEASE',
  'LINUX_IMMUTABLE',
  'MAC_ADMIN',
  'MAC_OVERRIDE',
  'MKNOD',
  'NET_ADMIN',
  'NET_BIND_SERVICE',
  'NET_BROADCAST',
  'NET_RAW',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYSLOG',
  'SYS_ADMIN',
  'SYS_BOOT',
  'SYS_CHROOT',
  'SYS_MODULE',
  'SYS_NICE',
  'SYS_PACCT',
  'SYS_PTRACE',
  'SYS_RAWIO',
  'SYS_TIME',
  'SYS_TTY_CONFIG',
  'WAKE_ALARM',
] as const

/** Boots a machine. Resolves when systemd has started all that it starts. @throws when that takes longer than two minutes. */
export async function bootMachine(image: string): Promise<Machine> {
  const name = `berth-machine-${randomBytes(4).toString('hex')}`
  const options = [
    ['--detach', '--name', name, '--hostname', name, '--stop-signal', 'SIGRTMIN+3'],
    ['--cgroupns', 'private', '--security-opt', 'seccomp=unconfined', '--security-opt', 'apparmor=unconfined'],
    capabilities.flatMap((capability) => ['--cap-add', capability]),
    ['--tmpfs', '/run', '--tmpfs', '/run/lock', '--tmpfs', '/tmp:exec', '--volume', '/var/lib/docker'],
  ]
  await run('docker', ['run', ...options.flat(), image])
  const machine: Machine = {
    name,
    sh: (script) => run('docker', ['exec', name, 'sh', '-ec', script]),
    copyIn: async (source, target) => void (await run('docker', ['cp', source, `${name}:${target}`])),
    remove: async () => void (await run('docker', ['rm', '--force', '--volumes', name])),
  }
  const hasBooted = async () =>
    (await machine.sh('systemctl is-system-running || true')).trim() === 'running' ? true : undefined
  try {
    await eventually('the machine runs', hasBooted, 120_000)
  } catch (cause) {
    const failed = await machine.sh('systemctl --failed --no-pager; systemctl list-jobs --no-pager').catch(String)
    await machine.remove()
    throw new Error(`The machine does not come up: ${failed}`, { cause })
  }
  return machine
}
