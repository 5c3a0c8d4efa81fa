import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { version } from '@berth/shared/release.ts'
import { run } from '../../scripts/package/run.ts'

const root = join(import.meta.dirname, '../..')

/** The version of the sources, and the one that an upgrade goes to: the same sources under another number. */
export const installedVersion = version
export const nextVersion = version.replace(/\d+$/, (patch) => String(Number(patch) + 1))

/**
 * Makes all packages of a version for this machine and gives the directory that they are in: below `scratch`, or below what
 * `BERTH_PACKAGES_DIR` names, where they stay and are taken from the next time.
 */
export async function packagesOf(wanted: string, scratch: string): Promise<string> {
  const out = join(process.env['BERTH_PACKAGES_DIR'] ?? scratch, wanted)
  if (existsSync(join(out, 'SHA256SUMS'))) return out
  const program = join(root, 'scripts/package/main.ts')
  const args = ['--arch', process.arch, '--quick', '--version', wanted, '--out', out]
  await run(process.execPath, [program, ...args], { cwd: root })
  return out
}
