/** What a file of `KEY=VALUE` lines says, and the lines that say nothing. */
export interface EnvFile {
  readonly values: Readonly<Record<string, string>>
  /** Numbers, from 1, of the lines that are neither empty, nor a comment, nor an assignment. */
  readonly badLines: readonly number[]
}

/**
 * Reads the form of `/etc/ecs/ecs.config`, which is that of Docker's `--env-file` and systemd's `EnvironmentFile`: one
 * assignment a line, `#` before a comment, `export ` and one pair of quotes around the value taken off, no substitution.
 * The last assignment of a name counts.
 */
export function parseEnvFile(text: string): EnvFile {
  const values: Record<string, string> = {}
  const badLines: number[] = []
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const assignment = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line)
    if (assignment === null) badLines.push(index + 1)
    else values[assignment[1] ?? ''] = unquote((assignment[2] ?? '').trim())
  }
  return { values, badLines }
}

const unquote = (value: string): string => /^(["'])(.*)\1$/.exec(value)?.[2] ?? value
