import { type CommandContext, commandLine } from '../command-context.ts'
import type { DataDirectory } from '../cluster/data-directory.ts'
import type { RunState } from '../cluster/run-state.ts'

/** What a person is told of a cluster that is up: where it is, and what to do next. */
export function summary(
  context: CommandContext,
  directory: DataDirectory,
  state: RunState,
  mode: { readonly foreground: boolean },
): readonly string[] {
  const command = (name: string) => commandLine(context, directory, name)
  const hosts = state.hosts.length === 1 ? '1 host' : `${state.hosts.length} hosts`
  return [
    '',
    `Berth is up, with ${hosts} in the cluster "${state.cluster}".`,
    '',
    `  Endpoint   ${state.endpoint}  (account ${state.account}, region ${state.region})`,
    `  Data       ${directory.root}`,
    `  Logs       ${directory.logs}`,
    '',
    mode.foreground ? 'In another shell:' : 'Next:',
    '',
    `  eval "$(${command('env')})"`,
    '  aws ecs list-container-instances',
    `  ${command('status')}`,
    '',
    mode.foreground ? 'Ctrl-C stops Berth and its containers.' : `Stop Berth and its containers: ${command('down')}`,
  ]
}
