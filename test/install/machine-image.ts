import { join } from 'node:path'
import { run } from '../../scripts/package/run.ts'

const root = join(import.meta.dirname, '../..')
const image = 'berth-test/machine:12'

/**
 * The image of a machine without Berth, from Debian's packages, by its name. It stays on the engine, so that only the first time takes minutes;
 * `docker image rm` removes it.
 */
export async function machineImage(): Promise<string> {
  const debian = process.env['DEBIAN_IMAGE'] ?? (await standInForDebian())
  const directory = join(import.meta.dirname, 'machine')
  await run('docker', ['build', '--quiet', '--build-arg', `DEBIAN_IMAGE=${debian}`, '--tag', image, directory])
  return image
}

async function standInForDebian(): Promise<string> {
  const said = await run(join(root, 'deploy/compose/stand-ins.sh'), ['debian'])
  const [, name] = /DEBIAN_IMAGE=(\S+)/.exec(said) ?? []
  if (name === undefined) throw new Error(`deploy/compose/stand-ins.sh names no image: ${said}`)
  return name
}
