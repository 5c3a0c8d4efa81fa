import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

const root = '/sys/fs/cgroup'

/** cgroup v1 has a tree for each controller; v2 has one for all. */
const isVersion1 = existsSync(join(root, 'freezer'))
const processTree = isVersion1 ? join(root, 'freezer') : root

/** A process that waits for a disk stands still when the disk has answered. */
const freezesWithinMs = 10_000

/** Processes below `name`, those of containers included: a whole host as one thing. */
export interface ControlGroup {
  /** For Docker's `--cgroup-parent`: `/name`. */
  readonly parent: string
  /** Takes a process in; its children follow. */
  add(pid: number): void
  pids(): readonly number[]
  /** Makes all of them stand still, or go on. */
  freeze(): void
  thaw(): void
  /** Resolves when all of them stand still after `freeze`. */
  frozen(): Promise<void>
  /** Kills all of them at once, as a power cut would. */
  killAll(): void
  /** Removes the group from every controller's tree. Those with processes in them stay. */
  remove(): void
}

export function controlGroup(name: string): ControlGroup {
  const path = join(processTree, name)
  // In a leaf of its own, since v2 lets no group have both processes and children.
  const leaf = join(path, 'host')
  const setFrozen = (frozen: boolean) => {
    if (!existsSync(path)) return
    if (isVersion1) writeFileSync(join(path, 'freezer.state'), frozen ? 'FROZEN' : 'THAWED')
    else writeFileSync(join(path, 'cgroup.freeze'), frozen ? '1' : '0')
  }
  const group: ControlGroup = {
    parent: `/${name}`,
    add(pid) {
      mkdirSync(leaf, { recursive: true })
      writeFileSync(join(leaf, 'cgroup.procs'), String(pid))
    },
    pids: () => (existsSync(path) ? groupsBelow(path).flatMap(pidsOf) : []),
    freeze: () => setFrozen(true),
    thaw: () => setFrozen(false),
    async frozen() {
      const deadline = performance.now() + freezesWithinMs
      while (existsSync(path) && !isFrozen(path)) {
        if (performance.now() > deadline) throw new Error(`the processes of ${name} do not stand still`)
        await wait(5)
      }
    },
    killAll() {
      // What forks while it is killed is seen in the next round.
      for (let round = 0; round < 50; round++) {
        const pids = group.pids()
        if (pids.length === 0) return
        for (const pid of pids) kill(pid)
        group.thaw()
      }
    },
    remove() {
      const trees = isVersion1 ? readdirSync(root).map((tree) => join(root, tree, name)) : [path]
      for (const tree of trees.filter(existsSync)) for (const each of groupsBelow(tree)) tryRemove(each)
    },
  }
  return group
}

const isFrozen = (path: string): boolean =>
  isVersion1
    ? readFileSync(join(path, 'freezer.state'), 'utf8').trim() === 'FROZEN'
    : readFileSync(join(path, 'cgroup.events'), 'utf8').includes('frozen 1')

/** A group and all below it, the deepest first. */
function groupsBelow(path: string): readonly string[] {
  const children = entriesOf(path).map((name) => join(path, name))
  return [...children.flatMap(groupsBelow), path]
}

function entriesOf(path: string): readonly string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  } catch {
    return []
  }
}

function pidsOf(path: string): readonly number[] {
  try {
    return readFileSync(join(path, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

function tryRemove(path: string): void {
  try {
    rmdirSync(path)
  } catch {
    // A process that was killed is not yet reaped: the next sweep takes it.
  }
}
