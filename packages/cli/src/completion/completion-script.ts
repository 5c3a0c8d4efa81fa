import type { Command } from 'commander'

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

/** What can be typed: each command with its options and the words it takes. */
interface Completions {
  readonly name: string
  readonly commands: readonly CommandWords[]
}

interface CommandWords {
  readonly name: string
  readonly description: string
  readonly options: readonly {
    readonly flag: string
    readonly description: string
    readonly choices: readonly string[]
  }[]
  readonly words: readonly string[]
}

/** A script that completes the program's commands and options, made from the program itself. */
export function completionScript(program: Command, shell: Shell): string {
  return renderers[shell](completionsOf(program))
}

function completionsOf(program: Command): Completions {
  const help = program.createHelp()
  return {
    name: program.name(),
    commands: help.visibleCommands(program).map((command) => ({
      name: command.name(),
      description: firstSentence(command.summary() || command.description()),
      options: help
        .visibleOptions(command)
        .flatMap((option) =>
          option.long
            ? [{ flag: option.long, description: firstSentence(option.description), choices: option.argChoices ?? [] }]
            : [],
        ),
      words: command.registeredArguments.flatMap((argument) => argument.argChoices ?? []),
    })),
  }
}

const renderers: Readonly<Record<Shell, (completions: Completions) => string>> = {
  bash: ({ name, commands }) => `# ${name}: completion for bash. Use: eval "$(${name} completion bash)"
_${name}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${commands.map((command) => command.name).join(' ')}" -- "$current"))
    return
  fi
  case $previous in
    --data-dir) COMPREPLY=($(compgen -d -- "$current")); return ;;
${choicesOf(commands)
  .map(
    ({ flag, choices }) => `    ${flag}) COMPREPLY=($(compgen -W "${choices.join(' ')}" -- "$current")); return ;;\n`,
  )
  .join('')}  esac
  case \${COMP_WORDS[1]} in
${commands.map((command) => `    ${command.name}) COMPREPLY=($(compgen -W "${allWords(command).join(' ')}" -- "$current")) ;;`).join('\n')}
  esac
}
complete -F _${name} ${name} ./${name}
`,

  zsh: ({ name, commands }) => `#compdef ${name}
# ${name}: completion for zsh. Use: eval "$(${name} completion zsh)"
_${name}() {
  local -a commands
  commands=(
${commands.map((command) => `    ${quoted(`${command.name}:${command.description}`)}`).join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  case $words[2] in
${commands.map((command) => `    ${command.name}) _arguments ${zshArguments(command)} ;;`).join('\n')}
  esac
}
compdef _${name} ${name}
`,

  fish: ({ name, commands }) =>
    [
      `# ${name}: completion for fish. Use: ${name} completion fish | source`,
      `complete -c ${name} -f`,
      ...commands.flatMap((command) => [
        `complete -c ${name} -n __fish_use_subcommand -a ${command.name} -d ${quoted(command.description)}`,
        ...command.options.map(({ flag, description, choices }) => {
          const takes =
            flag === '--data-dir' ? ' -r -F' : choices.length > 0 ? ` -x -a ${quoted(choices.join(' '))}` : ''
          return `complete -c ${name} -n '__fish_seen_subcommand_from ${command.name}' -l ${flag.slice(2)}${takes} -d ${quoted(description)}`
        }),
        ...command.words.map(
          (word) => `complete -c ${name} -n '__fish_seen_subcommand_from ${command.name}' -a ${word}`,
        ),
      ]),
      '',
    ].join('\n'),
}

const allWords = ({ options, words }: CommandWords): readonly string[] => [...options.map(({ flag }) => flag), ...words]

function choicesOf(commands: readonly CommandWords[]) {
  const options = commands.flatMap((command) => command.options).filter(({ choices }) => choices.length > 0)
  return [...new Map(options.map((option) => [option.flag, option])).values()]
}

function zshArguments({ options, words }: CommandWords): string {
  const flags = options.map(({ flag, description, choices }) => {
    const text = `${flag}[${description.replaceAll(/[[\]:]/g, '\\$&')}]`
    if (flag === '--data-dir') return quoted(`${text}:directory:_files -/`)
    return quoted(choices.length > 0 ? `${text}:value:(${choices.join(' ')})` : text)
  })
  return [...flags, ...(words.length > 0 ? [quoted(`1:word:(${words.join(' ')})`)] : [])].join(' ')
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

const firstSentence = (text: string): string => text.split(/[.;:(]\s|\n|\s\(/)[0]?.replace(/\.$/, '') ?? ''
