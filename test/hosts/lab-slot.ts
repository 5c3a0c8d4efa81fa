import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { identifyProcess, isAlive, processIdentity } from '@berth/shared/process-identity.ts'
import { controlGroup } from './control-group.ts'
import { forgetClocksOfTheDead } from './lab-clock.ts'
import { tool, tryTool } from './tool.ts'

/** A place for one lab among those of this machine: its number makes names, addresses and directories that no other has. */
export interface LabSlot {
  readonly number: number
  /** Prefix of every namespace, interface and control group of the lab; at most 6 characters, since Linux gives interfaces 15. */
  readonly prefix: string
  readonly directory: string
  /** Address of a member of the lab's network by its last number. */
  address(last: number): string
  /** Aborts when the lab is being removed: nothing is to be started any more. */
  readonly signal: AbortSignal
  /** Ends every process of the lab and removes all that it made. */
  release(): Promise<void>
}

const slots = 200
const firstSlot = 20
const abandonedAfterMs = 60_000
const parent = join(tmpdir(), 'berth-hosts')

/**
 * Takes a free slot. What labs have left whose process is gone, as after a crash, is removed first; labs of living processes are
 * not touched.
 */
export async function claimSlot(): Promise<LabSlot> {
  mkdirSync(parent, { recursive: true })
  for (const name of readdirSync(parent)) {
    if (/^\d+$/.test(name) && inherit(join(parent, name))) await removeLab(slot(Number(name)))
  }
  for (let number = firstSlot; number < firstSlot + slots; number++) {
    const claimed = slot(number)
    try {
      mkdirSync(claimed.directory)
    } catch {
      continue
    }
    own(claimed.directory)
    return claimed
  }
  throw new Error(`all ${slots} slots for labs are taken: see ${parent}`)
}

function slot(number: number): LabSlot {
  const ending = new AbortController()
  const self: LabSlot = {
    signal: ending.signal,
    number,
    prefix: `bh${number}`,
    directory: join(parent, String(number)),
    address: (last) => `10.213.${number}.${last}`,
    release() {
      ending.abort()
      return removeLab(self)
    },
  }
  return self
}

function own(directory: string): void {
  const mine = join(directory, `owner-${process.pid}`)
  writeFileSync(mine, JSON.stringify(identifyProcess(process.pid)))
  renameSync(mine, join(directory, 'owner'))
}

/**
 * Makes the slot of a dead process this one's. A directory without an owner is being claimed by somebody else, or inherited; or
 * that was cut short, if it has been so for long.
 */
function inherit(directory: string): boolean {
  const owner = join(directory, 'owner')
  try {
    if (isAlive(processIdentity.parse(JSON.parse(readFileSync(owner, 'utf8'))))) return false
    renameSync(owner, `${owner}-before`)
  } catch {
    if (Date.now() - statSync(directory).mtimeMs < abandonedAfterMs) return false
  }
  own(directory)
  return true
}

async function removeLab({ prefix, directory }: LabSlot): Promise<void> {
  const group = controlGroup(prefix)
  group.killAll()
  for (let patience = 0; group.pids().length > 0 && patience < 100; patience++) await wait(50)
  forgetClocksOfTheDead()
  for (const mount of mountsBelow(directory)) await tryTool('umount', '--lazy', mount)
  for (const namespace of await namespacesOf(prefix)) await tryTool('ip', 'netns', 'del', namespace)
  await tryTool('ip', 'link', 'del', `${prefix}root`)
  group.remove()
  // The owner's name last: a directory without one is left alone.
  for (const name of readdirSync(directory))
    if (name !== 'owner') rmSync(join(directory, name), { recursive: true, force: true })
  rmSync(directory, { recursive: true, force: true })
}

async function namespacesOf(prefix: string): Promise<readonly string[]> {
  const names = (await tool('ip', 'netns', 'list')).split('\n').map((line) => line.split(' ')[0] ?? '')
  return names.filter((name) => name.startsWith(`${prefix}-`))
}

/** What is mounted below a directory, the innermost first. */
function mountsBelow(directory: string): readonly string[] {
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n')
  return mounts
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${directory}/`))
    .toSorted((a, b) => b.length - a.length)
}
