import { isSea } from 'node:sea'
import { fileURLToPath } from 'node:url'

/** How a program is called. */
export interface ProgramCall {
  readonly command: string
  readonly args: readonly string[]
}

/**
 * How this very program is run as another process: from its sources by the Node that runs it now, or, where Berth is
 * installed as one file, that file again.
 */
export function ownProgram(...args: readonly string[]): ProgramCall {
  if (isSea()) return { command: process.execPath, args }
  const main = fileURLToPath(new URL('./main.ts', import.meta.url))
  return { command: process.execPath, args: ['--disable-warning=ExperimentalWarning', main, ...args] }
}
