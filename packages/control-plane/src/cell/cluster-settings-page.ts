import { code, markdownTable } from '@berth/shared/config/settings-page.ts'
import { type ClusterSetting, clusterSettings, unsetValue } from './cluster-settings.ts'

const inherited = "the control plane's"

/** `docs/cluster-settings.md`, from the table that the settings are read by. */
export const clusterSettingsPage = (): string =>
  [
    '# Settings of a cluster',
    '',
    '<!-- Written by cluster-settings-page.test.ts: run `pnpm vitest run --project unit cluster-settings-page -u` after a change. -->',
    '',
    "What may differ from cluster to cluster is set on the cluster itself, in the place that ECS has for it: a cluster's `settings`, beside",
    "`containerInsights`. Names that begin with `berth.` are Berth's own; the AWS CLI and the SDKs carry them as they are.",
    '',
    '```sh',
    'aws ecs create-cluster --cluster-name prod --settings name=berth.taskQueue,value=enabled',
    'aws ecs update-cluster-settings --cluster prod --settings name=berth.hostLostAfter,value=2m',
    'aws ecs describe-clusters --clusters prod --include SETTINGS',
    '```',
    '',
    `The value \`${unsetValue}\` takes a setting away. Settings are checked when they are given; durations are written as \`30s\`, \`10m\` or \`1h30m\`.`,
    "(Terraform's `aws_ecs_cluster` knows `containerInsights` only and refuses other names by itself.)",
    '',
    ...markdownTable(
      ['Setting', 'Value', 'Default', 'Meaning'],
      Object.entries<ClusterSetting<unknown>>(clusterSettings).map(([name, setting]) => [
        code(name),
        setting.form,
        setting.default === undefined ? inherited : code(setting.default),
        setting.help,
      ]),
    ),
    '',
  ].join('\n')
