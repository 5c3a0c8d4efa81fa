import { settingsTable } from '@berth/shared/config/settings-page.ts'
import { controlPlaneConfigFiles } from './control-plane-config.ts'
import { controlPlaneSettings } from './control-plane-settings.ts'

/** `docs/control-plane-configuration.md`, from the table that the control plane reads its settings by. */
export const controlPlaneConfigurationPage = (): string =>
  [
    '# Configuring the control plane',
    '',
    '<!-- Written by control-plane-configuration-page.test.ts: run `pnpm vitest run --project unit control-plane-configuration-page -u` after a change. -->',
    '',
    'Settings come from the command line, from the environment, and from a file, in this order; the first that has one counts.',
    `The file is \`${controlPlaneConfigFiles.join('`, then `')}\`: one \`KEY=VALUE\` a line, \`#\` before a comment. \`berth up\` sets all of this by itself.`,
    '',
    'Everything is checked at the start, and all mistakes are named at once. Durations are written as `30s`, `10m` or `1h30m`.',
    '',
    ...settingsTable(controlPlaneSettings),
    '',
  ].join('\n')
