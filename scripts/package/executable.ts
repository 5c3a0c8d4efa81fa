import { chmod, copyFile, readFile, writeFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { inject } from 'postject'
import { run } from './run.ts'

/** The text in Node's program that says whether something was put into it: Node's own documentation gives it. */
const sentinelFuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'

/**
 * Makes one program out of Node and a bundle (a "single executable application"). Without code cache or snapshot, which
 * would bind it to the machine that it was made on, so that programs for other kinds of machine are made in the same way.
 * The same Node and bundle give the same program. Writes beside the bundle.
 */
export async function makeExecutable(
  node: string,
  bundleFile: string,
  target: string,
  nodeOptions: readonly string[],
): Promise<void> {
  const main = basename(bundleFile)
  const directory = dirname(bundleFile)
  const blob = `${main}.blob`
  const settings = `${main}.json`
  await writeFile(
    `${directory}/${settings}`,
    JSON.stringify({
      // The name goes into the program, so that it must not tell where this was.
      main,
      output: blob,
      disableExperimentalSEAWarning: true,
      useCodeCache: false,
      useSnapshot: false,
      execArgv: ['--disable-warning=ExperimentalWarning', ...nodeOptions],
    }),
  )
  await run(process.execPath, ['--experimental-sea-config', settings], { cwd: directory })
  await copyFile(node, target)
  await chmod(target, 0o755)
  await inject(target, 'NODE_SEA_BLOB', await readFile(`${directory}/${blob}`), { sentinelFuse })
}

/**
 * A copy of Node without the names that only a debugger reads, an eighth of the file. This has to come before anything is put into it:
 * a program that is stripped afterwards crashes. Binutils strips its own kind of machine only, LLVM any; without either it stays.
 */
export async function strippedCopy(node: string, target: string): Promise<void> {
  await copyFile(node, target)
  await chmod(target, 0o755)
  for (const tool of ['llvm-strip', 'strip']) {
    try {
      await run(tool, ['--strip-all', target])
      return
    } catch {
      continue
    }
  }
  process.stderr.write(`Neither llvm-strip nor strip can read ${node}: it keeps its symbols, and is larger.\n`)
}
