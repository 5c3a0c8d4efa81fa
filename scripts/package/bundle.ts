import { join } from 'node:path'
import { build } from 'esbuild'
import { type Program, programs } from './programs.ts'
import type { Release } from './release.ts'

export interface Bundle {
  readonly file: string
  /** The files of the repository that it is made of, relative to its root. */
  readonly inputs: readonly string[]
}

/**
 * Puts a program and everything that it imports into one CommonJS file: Node's single executables take no other, and as an
 * ES module dockerode does not load. Compiled add-ons are left out; those who ask for them do without.
 */
export async function bundle(root: string, program: Program, release: Release, directory: string): Promise<Bundle> {
  const file = join(directory, `${program}.cjs`)
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [programs[program].entry],
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    alias: {
      ssh2: './scripts/package/absent-ssh.ts',
      '@grpc/proto-loader': './scripts/package/absent-proto-loader.ts',
    },
    external: ['*.node'],
    define: { BERTH_VERSION: JSON.stringify(release.version), BERTH_REVISION: JSON.stringify(release.revision) },
    // Only the sources ask where they lie: see isSea() beside each use.
    logOverride: { 'empty-import-meta': 'silent' },
    logLevel: 'warning',
    metafile: true,
  })
  return { file, inputs: Object.keys(metafile.inputs) }
}
