import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A program of Berth as a process of its own. */
export interface Program {
  readonly pid: number
  /** What it has logged, as far as it is kept: the last megabyte. */
  log(): string
  /** Resolves with the first log line that holds `words`. @throws when the process ends before. */
  logged(words: string): Promise<string>
  /** Ends it in order. */
  stop(): Promise<void>
}

const keptLog = 2 ** 20

/** Starts `main`, a path from the root of the repository, with the settings given and no others of Berth's. */
export function startProgram(
  main: string,
  settings: Readonly<Record<string, string>>,
  nodeArguments: readonly string[] = [],
  args: readonly string[] = [],
): Program {
  const path = fileURLToPath(new URL(`../../../${main}`, import.meta.url))
  const nodeArgs = ['--disable-warning=ExperimentalWarning', ...nodeArguments, path, ...args]
  return startExecutable(process.execPath, settings, nodeArgs, main)
}

/** Starts a program that is a file of its own, as `startProgram`. */
export function startExecutable(
  file: string,
  settings: Readonly<Record<string, string>>,
  args: readonly string[] = [],
  name = file,
): Program {
  const child = spawn(file, args, {
    env: { ...withoutSettings(process.env), ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  const keep = (text: string) => {
    log = (log + text).slice(-keptLog)
  }
  child.stdout.setEncoding('utf8').on('data', keep)
  child.stderr.setEncoding('utf8').on('data', keep)
  return {
    pid: child.pid ?? 0,
    log: () => log,
    async logged(words) {
      for (;;) {
        const line = log.split('\n').find((each) => each.includes(words) && each.endsWith('}'))
        if (line !== undefined) return line
        if (hasEnded(child)) throw new Error(`${name} has ended:\n${log}`)
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    },
    async stop() {
      if (hasEnded(child)) return
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      await gone
    },
  }
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

const withoutSettings = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !/^(BERTH|AWS|ECS)_/.test(name)))
