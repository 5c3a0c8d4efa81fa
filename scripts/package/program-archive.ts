import { chmod, copyFile, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { PackRequest } from './debian-package.ts'
import { programFiles } from './program-files.ts'
import { run } from './run.ts'

/**
 * Makes `<program>-<version>-linux-<machine>.tar.gz`, for distributions without Debian's packages, and gives its path. `deploy/install.sh`
 * installs it. Equal sources, tools and files give an equal archive.
 */
export async function makeProgramArchive(request: PackRequest): Promise<string> {
  const { root, made, release, machine, out, scratch, quick } = request
  const name = `${made.program}-${release.version}-linux-${machine}`
  const directory = join(scratch, name)
  await rm(directory, { recursive: true, force: true })
  await mkdir(directory, { recursive: true })
  for (const file of programFiles(root, made)) {
    await copyFile(file.source, join(directory, file.name))
    await chmod(join(directory, file.name), file.mode)
  }
  await chmod(directory, 0o755)
  const tar = join(scratch, `${name}.tar`)
  const target = join(out, `${name}.tar.gz`)
  const asRoot = ['--owner=0', '--group=0', '--numeric-owner']
  const settled = ['--format=ustar', '--sort=name', `--mtime=@${release.madeAt}`, ...asRoot]
  await run('tar', [...settled, '-cf', tar, '-C', scratch, name])
  await run('gzip', ['--no-name', quick ? '-1' : '-9', '--force', tar])
  await copyFile(`${tar}.gz`, target)
  await rm(`${tar}.gz`)
  await rm(directory, { recursive: true })
  return target
}
