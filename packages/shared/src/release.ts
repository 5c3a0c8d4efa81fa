/** Put in the place of these names where a package is built (`scripts/package/bundle.ts`); the sources run without them. */
declare const BERTH_VERSION: string | undefined
declare const BERTH_REVISION: string | undefined

/** What the sources are on the way to; every `package.json` says the same. */
const versionOfSources = '0.1.0'

/** The version of Berth that this is, as `0.1.0`. */
export const version: string = typeof BERTH_VERSION === 'string' ? BERTH_VERSION : versionOfSources

/** The first digits of the commit that a package was built from, with a `+` where files were changed; `sources` when it runs from them. */
export const revision: string = typeof BERTH_REVISION === 'string' ? BERTH_REVISION : 'sources'

/** What a program says when asked for its version. */
export const versionLine = (program: string): string => `${program} ${version} (${revision})`
