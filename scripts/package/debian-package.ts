import { createHash } from 'node:crypto'
import { chmod, copyFile, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { debianControl } from './debian-control.ts'
import { type Machine, machines } from './machines.ts'
import { type MadeProgram, type ProgramFile, programFiles } from './program-files.ts'
import type { Release } from './release.ts'
import { run } from './run.ts'

export interface PackRequest {
  /** The root of the repository. */
  readonly root: string
  readonly made: MadeProgram
  readonly release: Release
  readonly machine: Machine
  readonly out: string
  /** A directory of its own, for what is in between. */
  readonly scratch: string
  readonly quick: boolean
}

const scripts = ['preinst', 'postinst', 'prerm', 'postrm'] as const

/** Where a Debian package puts a file. */
const placeOf = ({ kind, name }: ProgramFile, program: string): string =>
  ({
    program: `usr/bin/${name}`,
    unit: `usr/lib/systemd/system/${name}`,
    settings: `etc/berth/${name}`,
    copyright: `usr/share/doc/${program}/${name}`,
  })[kind]

/**
 * Makes `<program>_<version>_<machine>.deb` and gives its path. Equal sources, tools and files give an equal package, byte by byte: every file bears the
 * time of the commit and belongs to root, and one thread compresses, since what several make depends on how many there are.
 */
export async function makeDebianPackage(request: PackRequest): Promise<string> {
  const { root, made, release, machine, out, scratch, quick } = request
  const tree = join(scratch, 'tree')
  await rm(tree, { recursive: true, force: true })
  const files = programFiles(root, made).map((file) => ({ ...file, place: placeOf(file, made.program) }))
  for (const { source, place, mode } of files) await put(source, join(tree, place), mode)
  for (const name of scripts) await put(join(root, 'deploy/debian', name), join(tree, 'DEBIAN', name), 0o755)

  const sums = await Promise.all(
    files
      .filter(({ kind }) => kind !== 'settings')
      .map(async ({ place }) => `${await md5(join(tree, place))}  ${place}`),
  )
  const sizes = await Promise.all(files.map(async ({ place }) => (await stat(join(tree, place))).size))
  const installedBytes = sizes.reduce((sum, size) => sum + size, 0)
  const control = {
    control: debianControl(made.program, release.version, machine, installedBytes),
    conffiles: files.flatMap(({ kind, place }) => (kind === 'settings' ? [`/${place}\n`] : [])).join(''),
    md5sums: `${sums.sort().join('\n')}\n`,
  }
  for (const [name, text] of Object.entries(control)) await writeFile(join(tree, 'DEBIAN', name), text, { mode: 0o644 })
  await settle(tree, release.madeAt)

  const target = join(out, `${made.program}_${release.version}_${machines[machine].debian}.deb`)
  const compression = quick ? ['-Zgzip', '-z1'] : ['-Zxz', '-z6']
  const args = ['--root-owner-group', '--threads-max=1', ...compression, '--build', tree, target]
  await run('dpkg-deb', args, { env: { ...process.env, SOURCE_DATE_EPOCH: String(release.madeAt) } })
  await rm(tree, { recursive: true })
  return target
}

async function put(source: string, target: string, mode: number): Promise<void> {
  await mkdir(dirname(target), { recursive: true })
  await copyFile(source, target)
  await chmod(target, mode)
}

const md5 = async (file: string): Promise<string> =>
  createHash('md5')
    .update(await readFile(file))
    .digest('hex')

/** Gives everything in a tree one time, and directories the mode that they have where they are installed. */
async function settle(tree: string, seconds: number): Promise<void> {
  const entries = await readdir(tree, { recursive: true, withFileTypes: true })
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isDirectory()) await chmod(path, 0o755)
    await utimes(path, seconds, seconds)
  }
  await chmod(tree, 0o755)
  await utimes(tree, seconds, seconds)
}
