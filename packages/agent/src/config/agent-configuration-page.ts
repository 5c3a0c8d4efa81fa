import { agentConfigFiles } from './agent-config.ts'
import { agentSettings } from './agent-settings.ts'
import { ecsSettingsNotHonoured } from './ecs-settings-not-honoured.ts'
import type { Setting } from './setting.ts'

/** `docs/agent-configuration.md`, from the tables that the agent reads its settings by. */
export function agentConfigurationPage(): string {
  const settings = Object.values<Setting<unknown>>(agentSettings)
  return [
    '# Configuring the agent',
    '',
    '<!-- Written by agent-configuration-page.test.ts: run `pnpm vitest run --project unit agent-configuration-page -u` after a change. -->',
    '',
    'Settings come from the command line, from the environment, and from files, in this order; the first that has one counts.',
    `The files are \`${agentConfigFiles.join('`, then `')}\`: one \`KEY=VALUE\` a line, \`#\` before a comment.`,
    "A host that ran Amazon's agent keeps its `ecs.config`: the names are the same, and what cannot be honoured is listed below.",
    '',
    'The agent checks everything at its start and names all mistakes at once. Durations are written as `30s`, `10m` or `1h30m`.',
    '',
    ...table(['Setting', 'Option', 'Value', 'Default', 'Meaning'], settings.map(settingRow)),
    '',
    "## Settings of Amazon's agent that are not honoured",
    '',
    'A setting that is refused keeps the agent from starting, unless its value asks for nothing, as `false`; any other is named in a warning.',
    '',
    ...table(
      ['Setting', 'Is', 'Because'],
      ecsSettingsNotHonoured.map(({ name, verdict, why }) => [
        code(name),
        verdict === 'refuse' ? 'refused' : 'warned of',
        why,
      ]),
    ),
    '',
  ].join('\n')
}

const settingRow = (setting: Setting<unknown>): readonly string[] => [
  setting.names.map(code).join(', also '),
  setting.flag === undefined ? '' : code(`--${setting.flag}`),
  setting.form,
  setting.required === true ? '**required**' : setting.default === undefined ? 'unset' : defaultOf(setting.default),
  setting.help,
]

const defaultOf = (text: string): string => (text === '' ? 'empty' : code(text))

const code = (text: string): string => `\`${text}\``

const table = (head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] => [
  row(head),
  row(head.map(() => '---')),
  ...rows.map(row),
]

const row = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
