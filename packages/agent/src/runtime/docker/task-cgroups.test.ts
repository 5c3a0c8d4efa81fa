import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type CgroupDriver, taskCgroups } from './task-cgroups.ts'

/** A place that looks like the kernel's, where a file is made by whoever writes it. */
function lab(driver: CgroupDriver, trees: readonly string[], parent?: string) {
  const root = mkdtempSync(join(tmpdir(), 'berth-cgroups-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  for (const tree of trees) mkdirSync(join(root, tree))
  const ran: string[] = []
  const run = async (program: string, args: readonly string[]) => ran.push([program, ...args].join(' '))
  const read = (...path: readonly string[]) => readFileSync(join(root, ...path), 'utf8')
  return { root, read, ran, cgroups: taskCgroups(driver, parent, root, run) }
}

const limits = { cpu: 256, memoryMib: 512 }

describe('with a tree for each controller', () => {
  const version1 = (...args: [trees?: readonly string[], parent?: string]) =>
    lab({ driver: 'cgroupfs', version: '1' }, args[0] ?? ['cpu', 'memory', 'pids'], args[1])

  it('a task has a quarter of a core and its memory', async () => {
    const { cgroups, read } = version1()
    expect(await cgroups.make('abc', limits)).toBe('/ecs/abc')
    expect(read('memory/ecs/abc/memory.limit_in_bytes')).toBe('536870912')
    expect(read('cpu/ecs/abc/cpu.cfs_period_us')).toBe('100000')
    expect(read('cpu/ecs/abc/cpu.cfs_quota_us')).toBe('25000')
  })

  it('a limit that a task does not have is not set', async () => {
    const { cgroups, root } = version1()
    await cgroups.make('abc', { memoryMib: 64 })
    expect(readdirSync(join(root, 'cpu'))).toEqual([])
  })

  it('it is where the operator says', async () => {
    const { cgroups, read } = version1(['cpu,cpuacct', 'memory'], '/lab/host')
    expect(await cgroups.make('abc', limits)).toBe('/lab/host/abc')
    expect(read('cpu,cpuacct/lab/host/abc/cpu.cfs_quota_us')).toBe('25000')
  })

  it('it is removed from every tree, if nothing is in it', async () => {
    const { cgroups, root } = version1()
    for (const tree of ['cpu', 'memory', 'pids']) mkdirSync(join(root, tree, 'ecs', 'abc'), { recursive: true })
    mkdirSync(join(root, 'pids/ecs/abc/of-a-container'))
    await cgroups.remove('/ecs/abc')
    expect(['cpu', 'memory', 'pids'].map((tree) => readdirSync(join(root, tree, 'ecs')))).toEqual([[], [], ['abc']])
    await cgroups.remove('/ecs/abc')
  })

  it('those that were left are swept up, if they are old and nothing is in them', async () => {
    const { cgroups, root } = version1()
    const [left, used, other] = ['a'.repeat(32), 'b'.repeat(32), 'other']
    for (const name of [left, used, other]) mkdirSync(join(root, 'memory/ecs', name), { recursive: true })
    mkdirSync(join(root, 'memory/ecs', used, 'of-a-container'))
    await cgroups.sweep(Date.now() - 60_000)
    expect(readdirSync(join(root, 'memory/ecs'))).toHaveLength(3)
    await cgroups.sweep(Date.now() + 60_000)
    expect(readdirSync(join(root, 'memory/ecs'))).toEqual([used, other])
  })

  it('it is known again by its name', () => {
    const { cgroups } = version1()
    expect(['/ecs/abc', '/docker', '/ecsabc', ''].map((parent) => cgroups.has(parent))).toEqual([
      true,
      false,
      false,
      false,
    ])
  })
})

describe('with one tree', () => {
  it('a task has its limits, and all above it hand the controllers down', async () => {
    const { cgroups, read } = lab({ driver: 'cgroupfs', version: '2' }, [], '/lab/host')
    expect(await cgroups.make('abc', limits)).toBe('/lab/host/abc')
    expect(read('lab/host/abc/memory.max')).toBe('536870912')
    expect(read('lab/host/abc/cpu.max')).toBe('25000 100000')
    for (const above of ['.', 'lab', 'lab/host']) expect(read(above, 'cgroup.subtree_control')).toBe('+cpu +memory')
  })
})

describe('where systemd makes them', () => {
  it.each([undefined, 'ecs.slice'])('a task has a slice, below %s', async (parent) => {
    const { cgroups, ran } = lab({ driver: 'systemd', version: '2' }, [], parent)
    expect(await cgroups.make('abc', { cpu: 1536, memoryMib: 1 })).toBe('ecs-abc.slice')
    expect(cgroups.has('ecs-abc.slice')).toBe(true)
    expect(cgroups.has('system.slice')).toBe(false)
    await cgroups.remove('ecs-abc.slice')
    expect(ran).toEqual([
      'systemctl set-property --runtime ecs-abc.slice CPUQuota=150% MemoryMax=1048576',
      'systemctl start ecs-abc.slice',
      'systemctl stop ecs-abc.slice',
      'systemctl revert ecs-abc.slice',
    ])
  })
})
