import { parseArgs } from 'node:util'
import { isMachine, type Machine, machines } from './machines.ts'

/** What `pnpm package` is asked for. */
export interface PackageOptions {
  readonly machines: readonly Machine[]
  /** Where the packages are put; made if absent. */
  readonly out: string
  /** Another version than that of the sources. */
  readonly version: string | undefined
  /** Compressed little, for tests: seconds instead of minutes, and a third larger. */
  readonly quick: boolean
}

export const usage = 'pnpm package [--arch x64|arm64|all] [--out DIR] [--version V] [--quick]'

/**
 * Reads the command line; without `--arch` it is about machines such as this one.
 *
 * @throws Error that says what is wrong with it.
 */
export function packageOptions(argv: readonly string[], ownMachine: string = process.arch): PackageOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      arch: { type: 'string', default: ownMachine },
      out: { type: 'string', default: 'dist/packages' },
      version: { type: 'string' },
      quick: { type: 'boolean', default: false },
    },
  })
  const { arch, out, version, quick } = values
  const all = Object.keys(machines).filter(isMachine)
  if (arch === 'all') return { machines: all, out, version, quick }
  if (!isMachine(arch)) throw new Error(`There are packages for ${all.join(' and ')}, not for ${arch}.`)
  return { machines: [arch], out, version, quick }
}
