import { parseArgs } from 'node:util'
import type { Settings, Texts } from './read-settings.ts'

/**
 * Options of a command line as texts: `--name value`, `--name=value`, and `--name` alone for `true`. What a repeatable setting
 * is given more than once is one list, separated by commas; of another the last counts. Names are checked by `readSettings`.
 */
export function flagsOf(argv: readonly string[], settings: Settings = {}): Texts {
  const repeatable = new Set(Object.values(settings).flatMap(({ flag, repeatable }) => (repeatable ? flag : [])))
  const { tokens } = parseArgs({ args: [...argv], strict: false, tokens: true })
  const flags: Record<string, string> = {}
  for (const [index, token] of tokens.entries()) {
    if (token.kind !== 'option') continue
    const next = tokens[index + 1]
    const value = token.value ?? (next?.kind === 'positional' ? next.value : 'true')
    const before = repeatable.has(token.name) ? flags[token.name] : undefined
    flags[token.name] = before === undefined ? value : `${before},${value}`
  }
  return flags
}
