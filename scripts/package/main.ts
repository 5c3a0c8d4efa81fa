import { createHash } from 'node:crypto'
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { bundle } from './bundle.ts'
import { type BundledPackage, bundledPackages } from './bundled-packages.ts'
import { copyrightText } from './copyright.ts'
import { makeDebianPackage } from './debian-package.ts'
import { makeExecutable, strippedCopy } from './executable.ts'
import { nodeBinary } from './node-binary.ts'
import { packageOptions, usage } from './package-options.ts'
import { makeProgramArchive } from './program-archive.ts'
import { type Program, programNames, programs } from './programs.ts'
import { releaseOf } from './release.ts'

const root = resolve(import.meta.dirname, '../..')

/** What of a program is the same for every kind of machine. */
interface Bundled {
  readonly program: Program
  readonly file: string
  readonly packages: readonly BundledPackage[]
}

/** `pnpm package`: makes the programs of a release, and what they are installed from. */
async function main(argv: readonly string[]): Promise<void> {
  const options = packageOptions(argv)
  const { quick } = options
  const out = resolve(options.out)
  const release = await releaseOf(root, options.version)
  const ownLicense = await readFile(join(root, 'LICENSE'), 'utf8')
  const scratch = await mkdtemp(join(tmpdir(), 'berth-package-'))
  const made: string[] = []
  try {
    await mkdir(out, { recursive: true })
    const bundles: Bundled[] = []
    for (const program of programNames) {
      const { file, inputs } = await bundle(root, program, release, scratch)
      bundles.push({ program, file, packages: await bundledPackages(root, inputs) })
    }
    for (const machine of options.machines) {
      const node = await nodeBinary(machine, join(root, '.tools/node-binaries'))
      const nodeLicense = await readFile(node.license, 'utf8')
      const stripped = join(scratch, `node-${machine}`)
      await strippedCopy(node.file, stripped)
      for (const { program, file, packages } of bundles) {
        const executable = join(scratch, program)
        const copyright = join(scratch, `${program}.copyright`)
        await makeExecutable(stripped, file, executable, programs[program].nodeOptions)
        const parts = { program, ownLicense, nodeVersion: process.versions.node, nodeLicense, packages }
        await writeFile(copyright, copyrightText(parts))
        const request = { root, made: { program, executable, copyright }, release, machine, out, scratch, quick }
        for (const pack of [makeDebianPackage, makeProgramArchive]) {
          const target = await pack(request)
          made.push(target)
          process.stdout.write(`${target}  ${((await stat(target)).size / 1024 / 1024).toFixed(1)} MiB\n`)
        }
      }
    }
    await copyFile(join(root, 'deploy/install.sh'), join(out, 'install.sh'))
    await chmod(join(out, 'install.sh'), 0o755)
    await writeFile(join(out, 'SHA256SUMS'), await checksums([...made, join(out, 'install.sh')]))
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** As `sha256sum` writes them, and `sha256sum --check` reads them. */
async function checksums(files: readonly string[]): Promise<string> {
  const lines = await Promise.all(
    files.map(async (file) => {
      const digest = createHash('sha256').update(await readFile(file))
      return `${digest.digest('hex')}  ${basename(file)}\n`
    }),
  )
  return lines.sort((a, b) => a.slice(64).localeCompare(b.slice(64), 'en')).join('')
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${(error as Error).message}\nUsage: ${usage}\n`)
  process.exitCode = 1
})
