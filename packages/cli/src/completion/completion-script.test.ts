import { execFileSync } from 'node:child_process'
import { Argument, Command, Option } from 'commander'
import { expect, test } from 'vitest'
import { completionScript } from './completion-script.ts'

const program = new Command('ship').description("A ship's command.")
program
  .command('sail')
  .description("Sail off, with the captain's leave.")
  .option('--far', 'further than "here" [really]')
  .addOption(new Option('--speed <s>', 'how fast').choices(['slow', 'fast']))
program
  .command('anchor')
  .description('Stay.')
  .addArgument(new Argument('<where>').choices(['here', 'there']))

/** What bash would offer for a command line. */
function offered(...words: string[]): readonly string[] {
  const script = `${completionScript(program, 'bash')}
COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 ))
_ship; printf '%s\\n' "\${COMPREPLY[@]}"`
  return execFileSync('bash', ['-c', script, 'bash', ...words], { encoding: 'utf8' })
    .trim()
    .split('\n')
}

test.each([
  [
    ['ship', ''],
    ['sail', 'anchor', 'help'],
  ],
  [['ship', 'sa'], ['sail']],
  [['ship', 'sail', '--f'], ['--far']],
  [
    ['ship', 'sail', '--speed', ''],
    ['slow', 'fast'],
  ],
  [['ship', 'anchor', 't'], ['there']],
  [['ship', 'sail', 'x'], ['']],
])('after %o bash offers %o', (words, expected) => {
  expect(offered(...words)).toEqual(expected)
})

test('descriptions are quoted for zsh and fish', () => {
  expect(completionScript(program, 'zsh')).toContain(`'sail:Sail off, with the captain'\\''s leave'`)
  expect(completionScript(program, 'zsh')).toContain(`'--far[further than "here" \\[really\\]]'`)
  expect(completionScript(program, 'fish')).toContain(`-l speed -x -a 'slow fast' -d 'how fast'`)
})
