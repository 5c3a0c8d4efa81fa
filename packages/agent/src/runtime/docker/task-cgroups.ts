import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, rmdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { TaskLimits } from '../container-runtime.ts'

/** The cgroups that bound tasks as a whole, each the parent of those of the task's containers. */
export interface TaskCgroups {
  /**
   * Makes the cgroup of a task, or sets its limits anew, and returns what Docker calls it.
   *
   * @throws where it cannot be made.
   */
  make(taskId: string, limits: TaskLimits): Promise<string>
  /** Whether `parent` is what `make` returned, of this agent or of one before it. */
  has(parent: string): boolean
  /** Removes one that nothing is in any more; leaves one alone that something is in. */
  remove(parent: string): Promise<void>
  /**
   * Removes those that nothing is in and that were made before `before`, in ms since the epoch: as when somebody else removed
   * the containers. One that was made just now may be about to get some.
   */
  sweep(before: number): Promise<void>
}

/** How the engine says that it makes cgroups. */
export interface CgroupDriver {
  readonly driver: 'cgroupfs' | 'systemd'
  readonly version: '1' | '2'
}

/** Runs a program to its end. @throws when it cannot be run, or ends with another code than 0. */
export type RunProgram = (program: string, args: readonly string[]) => Promise<unknown>

/** Where ECS's own agent puts them. */
const defaultParent = '/ecs'

/** The kernel's period in µs, which is Docker's too, and its smallest quota in that period. */
const periodUs = 100_000
const smallestQuotaUs = 1_000

const bytesPerMib = 1024 * 1024

/** As Docker makes it of a container's own limit, rounded up: the kernel takes no quota of a child that is above its parent's. */
const quotaUs = (cpu: number): number => Math.max(smallestQuotaUs, Math.ceil((cpu / 1024) * periodUs))

/**
 * The cgroups of tasks below `parent`, as the engine's own driver makes those of containers.
 *
 * @param root where the kernel's trees are mounted.
 */
export function taskCgroups(
  { driver, version }: CgroupDriver,
  parent = defaultParent,
  root = '/sys/fs/cgroup',
  run: RunProgram = promisify(execFile),
): TaskCgroups {
  if (driver === 'systemd') return slices(parent, run)
  return version === '2' ? unifiedTree(parent, root) : treesByController(parent, root)
}

/** A directory for each task, in the tree of each controller. */
function treesByController(parent: string, root: string): TaskCgroups {
  const makeIn = async (tree: string, cgroup: string, values: Readonly<Record<string, number>>) => {
    const directory = join(root, tree, cgroup)
    await mkdir(directory, { recursive: true })
    for (const [file, value] of Object.entries(values)) await writeFile(join(directory, file), String(value))
  }
  const cgroups: TaskCgroups = {
    async make(taskId, { cpu, memoryMib }) {
      const cgroup = join(parent, taskId)
      if (memoryMib !== undefined) await makeIn('memory', cgroup, { 'memory.limit_in_bytes': memoryMib * bytesPerMib })
      if (cpu !== undefined)
        await makeIn(existsSync(join(root, 'cpu')) ? 'cpu' : 'cpu,cpuacct', cgroup, {
          'cpu.cfs_period_us': periodUs,
          'cpu.cfs_quota_us': quotaUs(cpu),
        })
      return cgroup
    },
    has: (cgroup) => isBelow(parent, cgroup),
    async remove(cgroup) {
      // The engine has made it in the trees of all other controllers too.
      for (const tree of await readdir(root)) await removeEmpty(join(root, tree, cgroup))
    },
    async sweep(before) {
      for (const tree of ['cpu', 'cpu,cpuacct', 'memory'])
        for (const taskId of await oldDirectories(join(root, tree, parent), before))
          await cgroups.remove(join(parent, taskId))
    },
  }
  return cgroups
}

/** A directory for each task, in the one tree of all controllers. */
function unifiedTree(parent: string, root: string): TaskCgroups {
  return {
    async make(taskId, { cpu, memoryMib }) {
      const cgroup = join(parent, taskId)
      await mkdir(join(root, cgroup), { recursive: true })
      // A cgroup has the limits of those controllers only that all above it hand down.
      for (const above of prefixesOf(parent))
        await writeFile(join(root, above, 'cgroup.subtree_control'), '+cpu +memory')
      if (memoryMib !== undefined) await writeFile(join(root, cgroup, 'memory.max'), String(memoryMib * bytesPerMib))
      if (cpu !== undefined) await writeFile(join(root, cgroup, 'cpu.max'), `${quotaUs(cpu)} ${periodUs}`)
      return cgroup
    },
    has: (cgroup) => isBelow(parent, cgroup),
    remove: (cgroup) => removeEmpty(join(root, cgroup)),
    async sweep(before) {
      for (const taskId of await oldDirectories(join(root, parent), before))
        await removeEmpty(join(root, parent, taskId))
    },
  }
}

/** A slice for each task: systemd alone may change the tree where it is the engine's driver. */
function slices(parent: string, run: RunProgram): TaskCgroups {
  const prefix = parent.replace(/^\//, '').replace(/\.slice$/, '')
  return {
    async make(taskId, { cpu, memoryMib }) {
      const slice = `${prefix}-${taskId}.slice`
      const properties = [
        ...(cpu === undefined ? [] : [`CPUQuota=${(quotaUs(cpu) * 100) / periodUs}%`]),
        ...(memoryMib === undefined ? [] : [`MemoryMax=${memoryMib * bytesPerMib}`]),
      ]
      await run('systemctl', ['set-property', '--runtime', slice, ...properties])
      await run('systemctl', ['start', slice])
      return slice
    },
    has: (slice) => slice.startsWith(`${prefix}-`) && slice.endsWith('.slice'),
    async remove(slice) {
      // What still runs in it would be stopped with it. Its containers are gone when this is asked for, but for a stranger's.
      await run('systemctl', ['stop', slice])
      await run('systemctl', ['revert', slice])
    },
    // A slice that nothing is in costs nothing but its name, and is forgotten at the next boot.
    sweep: async () => {},
  }
}

const isBelow = (parent: string, cgroup: string): boolean => cgroup.startsWith(`${parent}/`)

/** `/`, `/a`, `/a/b` of `/a/b`. */
const prefixesOf = (path: string): readonly string[] => {
  const parts = path.split('/').filter(Boolean)
  return ['/', ...parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`)]
}

/** The names of tasks alone: what else is below an operator's own parent is none of ours. */
async function oldDirectories(path: string, before: number): Promise<readonly string[]> {
  const names = (await readdir(path).catch((): string[] => [])).filter((name) => /^[0-9a-f]{32}$/.test(name))
  const times = await Promise.all(names.map((name) => stat(join(path, name)).catch(() => undefined)))
  return names.filter((_, index) => (times[index]?.mtimeMs ?? Infinity) < before)
}

async function removeEmpty(directory: string): Promise<void> {
  try {
    await rmdir(directory)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    if (!['ENOENT', 'ENOTDIR', 'EBUSY', 'ENOTEMPTY'].includes(code)) throw error
  }
}
