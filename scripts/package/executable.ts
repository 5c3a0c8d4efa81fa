import { chmod, copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inject } from 'postject'
import { run } from './run.ts'

/** The text in Node's program that says whether something was put into it: Node's own documentation gives it. */
const sentinelFuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'

/**
 * Makes one program out of Node and a bundle (a "single executable application"). Without code cache or snapshot, which
 * would bind it to the machine that it was made on, so that programs for other kinds of machine are made in the same way.
 */
export async function makeExecutable(node: string, bundleFile: string, target: string, scratch: string): Promise<void> {
  const blob = join(scratch, 'program.blob')
  const settings = join(scratch, 'program.json')
  await writeFile(
    settings,
    JSON.stringify({
      main: bundleFile,
      output: blob,
      disableExperimentalSEAWarning: true,
      useCodeCache: false,
      useSnapshot: false,
      execArgv: ['--disable-warning=ExperimentalWarning'],
    }),
  )
  await run(process.execPath, ['--experimental-sea-config', settings])
  await copyFile(node, target)
  await chmod(target, 0o755)
  await strip(target)
  await inject(target, 'NODE_SEA_BLOB', await readFile(blob), { sentinelFuse })
}

/**
 * Takes out the names that only a debugger reads, an eighth of the file. It has to come before the injection: a program
 * that is stripped afterwards crashes. Binutils strips its own kind of machine only, LLVM any; without either it stays.
 */
async function strip(file: string): Promise<void> {
  for (const tool of ['llvm-strip', 'strip']) {
    try {
      await run(tool, ['--strip-all', file])
      return
    } catch {
      continue
    }
  }
  process.stderr.write(`Neither llvm-strip nor strip can read ${file}: it keeps its symbols, and is larger.\n`)
}
