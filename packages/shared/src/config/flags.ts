import { parseArgs } from 'node:util'
import type { Texts } from './read-settings.ts'

/** Options of a command line as texts: `--name value`, `--name=value`, and `--name` alone for `true`. Names are checked by `readSettings`. */
export function flagsOf(argv: readonly string[]): Texts {
  const { tokens } = parseArgs({ args: [...argv], strict: false, tokens: true })
  const flags: Record<string, string> = {}
  for (const [index, token] of tokens.entries()) {
    if (token.kind !== 'option') continue
    const next = tokens[index + 1]
    flags[token.name] = token.value ?? (next?.kind === 'positional' ? next.value : 'true')
  }
  return flags
}
