import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Machine } from './machines.ts'
import { run } from './run.ts'

/** A Node for a kind of machine, and the licence that goes with it. */
export interface NodeBinary {
  readonly file: string
  readonly license: string
}

/**
 * The Node that programs for this kind of machine are built on, always of the version that runs now. For this machine's own
 * kind it is the very one, where its licence is found; else it is taken from npm's `node-linux-*` packages, once, and kept under `cache`.
 */
export async function nodeBinary(machine: Machine, cache: string): Promise<NodeBinary> {
  if (machine === process.arch) {
    const own = ownNode(machine)
    if (own !== undefined) return own
  }
  const name = `node-linux-${machine}@${process.versions.node}`
  const directory = join(cache, name)
  const binary = within(join(directory, 'package'))
  if (existsSync(binary.file)) return binary
  await mkdir(directory, { recursive: true })
  const [packed] = JSON.parse(await run('npm', ['pack', name, '--json', '--pack-destination', directory])) as [
    { readonly filename: string },
  ]
  const members = ['package/bin/node', 'package/LICENSE']
  await run('tar', ['-xzf', join(directory, packed.filename), '-C', directory, ...members])
  return binary
}

/** The Node that runs now, if its licence lies with it: as its own archive has it, or as the `node` package of npm does. */
function ownNode(machine: Machine): NodeBinary | undefined {
  const directory = dirname(dirname(process.execPath))
  const candidates = [within(directory), within(join(directory, 'node_modules', `node-linux-${machine}`))]
  return candidates.find(({ file, license }) => existsSync(file) && existsSync(license))
}

const within = (directory: string): NodeBinary => ({
  file: join(directory, 'bin/node'),
  license: join(directory, 'LICENSE'),
})
