import type { Settings } from './read-settings.ts'
import type { Setting } from './setting.ts'

/** A table of settings in Markdown, line by line: name, option, value, default, meaning. */
export const settingsTable = (settings: Settings): readonly string[] =>
  markdownTable(['Setting', 'Option', 'Value', 'Default', 'Meaning'], Object.values(settings).map(settingRow))

const settingRow = (setting: Setting<unknown>): readonly string[] => [
  setting.names.map(code).join(', also '),
  setting.flag === undefined ? '' : code(`--${setting.flag}`),
  setting.form,
  setting.required === true ? '**required**' : setting.default === undefined ? 'unset' : defaultOf(setting.default),
  setting.help,
]

const defaultOf = (text: string): string => (text === '' ? 'empty' : code(text))

/** Text as code in Markdown. */
export const code = (text: string): string => `\`${text}\``

/** A table in Markdown, line by line. */
export const markdownTable = (head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] => [
  row(head),
  row(head.map(() => '---')),
  ...rows.map(row),
]

const row = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
