import { code, markdownTable, settingsTable } from '@berth/shared/config/settings-page.ts'
import { agentConfigFiles } from './agent-config.ts'
import { agentSettings } from './agent-settings.ts'
import { ecsSettingsNotHonoured } from './ecs-settings-not-honoured.ts'

/** `docs/agent-configuration.md`, from the tables that the agent reads its settings by. */
export function agentConfigurationPage(): string {
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
    ...settingsTable(agentSettings),
    '',
    "## Settings of Amazon's agent that are not honoured",
    '',
    'A setting that is refused keeps the agent from starting, unless its value asks for nothing, as `false`; any other is named in a warning.',
    '',
    ...markdownTable(
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
