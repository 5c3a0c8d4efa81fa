import { existsSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { isSea } from 'node:sea'
import { fileURLToPath } from 'node:url'
import type { Clock } from '@berth/shared/clock.ts'
import type { Random } from '@berth/shared/random.ts'
import { type DataDirectory, defaultDataDirectory } from './cluster/data-directory.ts'
import { shellWord } from './shell-word.ts'

/** What every command is given. */
export interface CommandContext {
  readonly environment: NodeJS.ProcessEnv
  readonly clock: Clock
  readonly random: Random
  /** Writes a line to standard output. */
  readonly out: (line: string) => void
  /** Writes a line to standard error. */
  readonly err: (line: string) => void
}

/** How the user calls this program for the same cluster again, to be shown in examples. */
export function commandLine(context: CommandContext, directory: DataDirectory, command: string): string {
  const isDefault = [context.environment['BERTH_DATA_DIR'], defaultDataDirectory(context.environment, homedir())]
  const dataDir = isDefault.includes(directory.root) ? '' : ` --data-dir ${shellWord(directory.root)}`
  return `${programName()} ${command}${dataDir}`
}

/** `./berth` in the directory of the sources, where npm start leaves a person; `berth` elsewhere. */
function programName(): string {
  if (isSea()) return 'berth'
  const launcher = fileURLToPath(new URL('../../../berth', import.meta.url))
  const here = join(process.cwd(), 'berth')
  return existsSync(here) && realpathSync(here) === launcher ? './berth' : 'berth'
}
