import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished, expect, it } from 'vitest'
import { KernelLog, oomVictims } from './kernel-log.ts'

const a = 'a'.repeat(64)
const b = 'b'.repeat(64)
const killLine = (cgroup: string, limited = cgroup): string =>
  `4,871,413567558,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=${a},mems_allowed=0,` +
  `oom_memcg=${limited},task_memcg=${cgroup},task=sh,pid=16825,uid=0\n`

it.each([
  ["a container in Docker's own cgroup", killLine(`/docker/${b}`), [b]],
  ["a container in a slice of systemd's", killLine(`/system.slice/docker-${b}.scope`), [b]],
  ['a container of an engine in a container', killLine(`/docker/${a}/docker/${b}`), [b]],
  ["one of a task, killed for the task's limit", killLine(`/ecs/task/${b}`, '/ecs/task'), [b]],
  ['two in one piece', killLine(`/docker/${a}`) + killLine(`/docker/${b}`), [a, b]],
  ['what is no container', killLine('/user.slice'), []],
  ['another line', `4,1,2,-;sh invoked oom-killer: gfp_mask=0xcc0, order=0, ${a}\n`, []],
])('%s', (_what, text, victims) => {
  expect(oomVictims(text)).toEqual(victims)
})

const logOf = (text: string) => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-kmsg-'))
  const path = join(directory, 'kmsg')
  writeFileSync(path, text)
  const log = new KernelLog(path)
  onTestFinished(() => {
    log.close()
    rmSync(directory, { recursive: true })
  })
  return { log, append: (more: string) => appendFileSync(path, more) }
}

it('knows what was written before it was opened, and what is written later', () => {
  const { log, append } = logOf(killLine(`/docker/${a}`))
  expect(log.killed(a)).toBe(true)
  expect(log.killed(b)).toBe(false)
  append(killLine(`/docker/${b}`))
  expect(log.killed(b)).toBe(true)
})

it('forgets what is to be forgotten, until it happens again', () => {
  const { log, append } = logOf(killLine(`/docker/${a}`))
  log.forget(a)
  expect(log.killed(a)).toBe(false)
  append(killLine(`/docker/${a}`))
  expect(log.killed(a)).toBe(true)
})

it('cannot be opened where there is none', () => {
  expect(() => new KernelLog('/nowhere/kmsg')).toThrow(/ENOENT/)
})
