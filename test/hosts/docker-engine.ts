import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { identifyProcess } from '@berth/shared/process-identity.ts'
import Docker from 'dockerode'
import type { ControlGroup } from './control-group.ts'
import type { NetworkMember } from './lab-network.ts'
import { labProcess, type LabProcess } from './lab-process.ts'

export interface DockerEngineOptions {
  readonly member: NetworkMember
  readonly group: ControlGroup
  readonly signal: AbortSignal
  /** For its sockets and logs. */
  readonly directory: string
  /** Where images and containers are. */
  readonly dataRoot: string
  /** Whether containers outlive the daemon. Default: true. */
  readonly liveRestore?: boolean
}

/** A Docker daemon of a host's own, with its own containerd. */
export interface DockerEngine {
  readonly socket: string
  /** Asks the daemon; calls fail or hang while it is away. */
  readonly docker: Docker
  readonly daemon: LabProcess
  start(): Promise<void>
  /** Kills the daemon as a crash would. With live-restore, containers run on. */
  kill(): Promise<void>
  /** Ends the daemon in order. Without live-restore, its containers end with it. */
  stop(): Promise<void>
}

/** Bounded for a machine that has ten times as much to do as it can. */
const answersWithinMs = 180_000

export function dockerEngine({
  member,
  group,
  signal,
  directory,
  dataRoot,
  liveRestore = true,
}: DockerEngineOptions): DockerEngine {
  mkdirSync(directory, { recursive: true })
  const execRoot = join(directory, 'run')
  const socket = join(directory, 'docker.sock')
  const pidFile = join(directory, 'docker.pid')
  // The machine's own settings are for the machine's own engine.
  const settings = join(directory, 'daemon.json')
  writeFileSync(settings, '{}')
  const docker = new Docker({ socketPath: socket })
  const third = Number(member.address.split('.')[3])
  const daemon = labProcess({
    name: `dockerd of ${member.name}`,
    member,
    group,
    signal,
    logPath: join(directory, 'dockerd.log'),
    command: `dockerd --host unix://${socket} --config-file ${settings} --pidfile ${pidFile}
      --data-root ${dataRoot} --exec-root ${execRoot} --cgroup-parent ${group.parent}/containers
      --bip 172.30.${third}.1/24 --userland-proxy=false --shutdown-timeout 5 ${liveRestore ? '--live-restore' : ''}`
      .trim()
      .split(/\s+/),
  })
  const untilItAnswers = async () => {
    const deadline = performance.now() + answersWithinMs
    for (;;) {
      const answered = await docker.ping().then(
        () => true,
        () => false,
      )
      if (answered) return
      if (!daemon.running) throw new Error(`dockerd has ended:\n${daemon.log().slice(-3000)}`)
      if (performance.now() > deadline) throw new Error(`dockerd does not answer:\n${daemon.log().slice(-3000)}`)
      await wait(50)
    }
  }
  return {
    socket,
    docker,
    daemon,
    async start() {
      if (daemon.running) return
      // A daemon that was killed leaves these; who has the number now, or has ended and is not reaped yet, passes for it.
      for (const path of [pidFile, join(execRoot, 'containerd', 'containerd.pid')]) {
        if (identifyProcess(pidIn(path)) === undefined) rmSync(path, { force: true })
      }
      await daemon.start()
      await untilItAnswers()
    },
    async kill() {
      const containerd = pidIn(join(execRoot, 'containerd', 'containerd.pid'))
      await daemon.kill()
      // It dies with its parent, a moment later.
      for (let patience = 0; identifyProcess(containerd) !== undefined && patience < 100; patience++) await wait(20)
    },
    stop: () => daemon.stop(),
  }
}

function pidIn(path: string): number {
  try {
    return Number(readFileSync(path, 'utf8'))
  } catch {
    return 0
  }
}
