import { versionLine } from '../release.ts'
import type { Settings } from './read-settings.ts'
import type { Setting } from './setting.ts'

/** A program that is told by settings, as it presents itself. */
export interface SettledProgram {
  readonly name: string
  /** What it does, in a sentence. */
  readonly about: string
  readonly settings: Settings
  /** Where settings are read from, beside the command line and the environment. */
  readonly files: readonly string[]
  /** Further ways to call it, each with what it does. */
  readonly commands?: readonly (readonly [call: string, about: string])[]
}

/** The answer to `--version` or `--help`, to be printed instead of running; `undefined` when neither is asked. */
export function answerTo(argv: readonly string[], program: SettledProgram): string | undefined {
  if (argv.includes('--version') || argv.includes('-V')) return versionLine(program.name)
  if (argv.includes('--help') || argv.includes('-h')) return helpOf(program)
  return undefined
}

function helpOf({ name, about, settings, files, commands = [] }: SettledProgram): string {
  const calls: (readonly [string, string])[] = [[`${name} [options]`, 'run in the foreground'], ...commands]
  const width = Math.max(...calls.map(([call]) => call.length))
  return [
    about,
    '',
    'Usage:',
    ...calls.map(([call, does]) => `  ${call.padEnd(width)}  ${does}`),
    '',
    `Settings come from options, then the environment, then ${files.join(' and ')}:`,
    ...Object.values(settings).flatMap((setting) => ['', ...helpOfSetting(setting)]),
    '',
    '  --no-files      read no settings from files',
    '  -V, --version   print the version',
    '  -h, --help      print this',
  ].join('\n')
}

const helpOfSetting = (setting: Setting<unknown>): readonly string[] => [
  `  ${[...(setting.flag === undefined ? [] : [`--${setting.flag} <value>`]), ...setting.names].join(', ')}`,
  `      ${setting.help.replaceAll('`', '')}`,
  `      ${setting.form.replaceAll('`', '')}; ${setting.required === true ? 'required' : defaultOf(setting)}`,
]

const defaultOf = ({ default: text }: Setting<unknown>): string =>
  text === undefined ? 'unset by default' : text === '' ? 'empty by default' : `by default ${text}`
