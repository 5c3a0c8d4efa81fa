import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { bundle } from '../../../scripts/package/bundle.ts'
import { makeExecutable, strippedCopy } from '../../../scripts/package/executable.ts'
import { machines } from '../../../scripts/package/machines.ts'
import { nodeBinary } from '../../../scripts/package/node-binary.ts'
import { programs } from '../../../scripts/package/programs.ts'
import { releaseOf } from '../../../scripts/package/release.ts'
import { run as runCommand } from '../../../scripts/package/run.ts'
import { makeBusyboxImage } from '../../images/busybox-image.ts'
import { bareEngine, type BareEngine, benchLabel, inParallel } from '../engine/bare-engine.ts'
import { clusterClient } from '../engine/cluster-client.ts'
import { type Lab, startLab } from '../lab/lab.ts'
import { processTreeCpu } from '../lab/process-cpu.ts'
import { type Program, startExecutable } from '../lab/program.ts'
import { type SignedClient, signedClient } from '../lab/signed-client.ts'
import { median, type Row } from '../measure.ts'
import { reportRows } from '../report-rows.ts'
import { residentMib } from './resident-memory.ts'

const root = resolve(import.meta.dirname, '../../..')
const asked = { mib: 90, idlePercent: 1, startMs: 2000, packageMib: 32 }
/** After a start, or after many tasks have started, until what that left behind is collected. */
const settleSeconds = 15

/**
 * What an agent takes of its host, run as it is installed: as one file, with its unit's environment, on the machine's real Docker engine and on a fake one. With
 * `--packages DIR` it is the agent of the packages there, and their sizes are told; else the agent is made for the run.
 */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      short: { type: 'boolean', default: false },
      packages: { type: 'string' },
      tasks: { type: 'string', default: '50' },
      seconds: { type: 'string' },
      json: { type: 'string' },
    },
  })
  const size = {
    tasks: Number(values.tasks),
    idleSeconds: Number(values.seconds ?? (values.short ? 20 : 60)),
    starts: values.short ? 3 : 5,
  }
  const scratch = mkdtempSync(join(tmpdir(), 'berth-bench-agent-'))
  const engine = bareEngine()
  const lab = await startLab({ hosts: 0, runtime: 'docker' })
  const client = signedClient(lab.endpoint, 4)
  try {
    const { packages } = values
    const executable = packages === undefined ? await makeAgent(scratch) : await unpackAgent(packages, scratch)
    const bench = { executable, scratch, lab, client, size }
    const rows: Row[] = []
    for (const runtime of ['docker', 'fake'] as const) rows.push(...(await measureAgent(bench, runtime)))
    rows.push(...(packages === undefined ? [] : packageSizes(packages)))
    reportRows({ bench: 'agent', short: values.short, json: values.json, rows })
    return 0
  } finally {
    client.close()
    await lab.stop()
    await removeContainers(engine)
    engine.close()
    rmSync(scratch, { recursive: true, force: true })
  }
}

interface Bench {
  readonly executable: string
  readonly scratch: string
  readonly lab: Lab
  readonly client: SignedClient
  readonly size: { readonly tasks: number; readonly idleSeconds: number; readonly starts: number }
}

async function measureAgent(bench: Bench, runtime: 'docker' | 'fake'): Promise<readonly Row[]> {
  const { client, size } = bench
  const cluster = clusterClient(client)
  const name = `agent-${runtime}`
  const image = await makeBusyboxImage()
  await client.call('CreateCluster', { clusterName: 'default' })
  await client.call('RegisterTaskDefinition', {
    family: name,
    networkMode: 'host',
    containerDefinitions: [{ name: 'sleep', image, cpu: 16, memory: 16, dockerLabels: { [benchLabel]: 'agent' } }],
  })
  const starts: number[] = []
  let agent: Program | undefined
  try {
    for (let round = 0; round < size.starts; round++) {
      await agent?.stop()
      const began = performance.now()
      agent = startAgent(bench, runtime)
      await agent.logged('Joined the control plane')
      starts.push(performance.now() - began)
    }
    if (agent === undefined) throw new Error('no start was asked for')
    await seconds(settleSeconds)
    const alone = { ...residentMib(agent.pid), idlePercent: await idlePercent(agent, size.idleSeconds) }
    await cluster.createService(name, name, size.tasks)
    await cluster.untilRunning(name, size.tasks)
    await seconds(settleSeconds)
    const busy = { ...residentMib(agent.pid), idlePercent: await idlePercent(agent, size.idleSeconds) }
    const most = { ...residentMib(agent.pid) }.highest
    await cluster.deleteService(name)
    await cluster.untilEmpty()
    const row = (what: string, figure: number, unit: string, limit?: number): Row => ({
      what: `${runtime}: ${what}`,
      figure,
      unit,
      ...(limit !== undefined && { asked: `< ${limit} ${unit}`, reached: figure < limit }),
    })
    const tasks = `${size.tasks} tasks`
    return [
      row(`from exec to registered, median of ${starts.length}`, median(starts), 'ms', asked.startMs),
      row('resident memory, no task', alone.now, 'MiB'),
      row(`resident memory, ${tasks}`, busy.now, 'MiB', asked.mib),
      row('of which the program file, which the kernel can drop', busy.file, 'MiB'),
      row('the most that it ever was', most, 'MiB'),
      row('of a core, no task', alone.idlePercent, '%', asked.idlePercent),
      row(`of a core, ${tasks} that run on`, busy.idlePercent, '%', asked.idlePercent),
    ]
  } finally {
    await agent?.stop()
  }
}

/** As `berth-agent.service` runs it. */
const startAgent = ({ executable, scratch, lab }: Bench, runtime: string): Program =>
  startExecutable(executable, {
    MALLOC_ARENA_MAX: '1',
    BERTH_SERVER: `127.0.0.1:${lab.agentPort}`,
    BERTH_DATA_DIR: join(scratch, runtime),
    BERTH_HOST_ADDRESS: '127.0.0.1',
    BERTH_RUNTIME: runtime,
    BERTH_CPU: '65536',
    BERTH_MEMORY: '65536',
    ECS_DISABLE_IMAGE_CLEANUP: 'true',
    ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION: '1h',
    ECS_IMAGE_PULL_BEHAVIOR: 'prefer-cached',
  })

const seconds = (count: number) => new Promise<void>((resolved) => void setTimeout(resolved, count * 1000))

/** What an agent that nobody asks anything takes of one core, its children among it. */
async function idlePercent({ pid }: Program, idleSeconds: number): Promise<number> {
  const before = { cpu: processTreeCpu(pid), at: performance.now() }
  await seconds(idleSeconds)
  return (100_000 * (processTreeCpu(pid) - before.cpu)) / (performance.now() - before.at)
}

async function makeAgent(scratch: string): Promise<string> {
  const node = await nodeBinary(process.arch === 'arm64' ? 'arm64' : 'x64', join(root, '.tools/node-binaries'))
  const stripped = join(scratch, 'node')
  await strippedCopy(node.file, stripped)
  const { file } = await bundle(root, 'berth-agent', await releaseOf(root), scratch)
  const executable = join(scratch, 'berth-agent')
  await makeExecutable(stripped, file, executable, programs['berth-agent'].nodeOptions)
  return executable
}

async function unpackAgent(packages: string, scratch: string): Promise<string> {
  const { debian } = machines[process.arch === 'arm64' ? 'arm64' : 'x64']
  const name = readdirSync(packages).find((each) => each.startsWith('berth-agent_') && each.endsWith(`_${debian}.deb`))
  if (name === undefined) throw new Error(`${packages} has no package of the agent for ${debian}`)
  await runCommand('dpkg-deb', ['-x', join(packages, name), join(scratch, 'unpacked')])
  return join(scratch, 'unpacked/usr/bin/berth-agent')
}

const packageSizes = (packages: string): readonly Row[] =>
  readdirSync(packages)
    .filter((name) => name.endsWith('.deb'))
    .map((name) => {
      const figure = statSync(join(packages, name)).size / 1024 / 1024
      return { what: name, figure, unit: 'MiB', asked: `< ${asked.packageMib} MiB`, reached: figure < asked.packageMib }
    })

async function removeContainers(engine: BareEngine): Promise<void> {
  await inParallel(await engine.labelled(benchLabel), 4, (id) => engine.remove(id).catch(() => {}))
}
