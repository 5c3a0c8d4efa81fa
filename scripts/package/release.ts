import { version as versionOfSources } from '../../packages/shared/src/release.ts'
import { run } from './run.ts'

/** What is baked into the programs of a package. */
export interface Release {
  readonly version: string
  /** The first digits of the commit, with a `+` where files were changed since. */
  readonly revision: string
  /** When the commit was made, in seconds since 1970: the time that every file of a package bears, so that equal sources give equal packages. */
  readonly madeAt: number
}

/** The release that the sources at `root` are, unless another version is wanted of them. */
export async function releaseOf(root: string, version: string = versionOfSources): Promise<Release> {
  if (!/^\d[A-Za-z0-9.+~]*$/.test(version)) throw new Error(`${version} is no version that a Debian package can have.`)
  const git = async (...args: readonly string[]) => (await run('git', ['-C', root, ...args])).trim()
  const isChanged = (await git('status', '--porcelain', '--untracked-files=no')) !== ''
  const revision = await git('rev-parse', '--short=8', 'HEAD')
  const madeAt = Number(await git('log', '-1', '--format=%ct'))
  return { version, revision: isChanged ? `${revision}+` : revision, madeAt }
}
