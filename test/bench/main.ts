/**
 * `node test/bench/main.ts NAME [options]`: runs one benchmark. A bench is a module that exports `run(args)`, which prints
 * what it measured and resolves to the exit code: 0 when the run was whole, whatever the figures.
 */
interface Bench {
  readonly about: string
  readonly load: () => Promise<{ run: (args: readonly string[]) => Promise<number> }>
}

const BENCHES: Record<string, Bench> = {
  commit: {
    about: 'how fast changes become durable, beside plain SETs [--short]',
    load: () => import('./commit/commit-bench.ts'),
  },
  placement: {
    about: 'how fast and how well the scheduler places [--short] [--traces DIR] [--json FILE] [--only speed|quality]',
    load: () => import('./placement/placement-bench.ts'),
  },
  cell: {
    about:
      'what a task costs in the cell, in memory and until it is durable [--short] [--hosts N] [--only heap|memory|durable] [--json FILE]',
    load: () => import('./cell/cell-bench.ts'),
  },
  'run-task': {
    about: 'RunTask of 10 tasks on fake hosts [--short] [--rounds N] [--seconds N] [--profile DIR] [--json FILE]',
    load: () => import('./run-task/run-task-bench.ts'),
  },
  engine: {
    about:
      'tasks in Docker against the bare engine [--short] [--networks host,none,bridge] [--hosts N] [--tasks N] [--parallel N] [--rounds N] [--profile DIR] [--json FILE]',
    load: () => import('./engine/engine-bench.ts'),
  },
  'rolling-update': {
    about:
      'an update of a service against the bare engine [--short] [--networks host,none] [--hosts N] [--tasks N] [--parallel N] [--rounds N] [--json FILE]',
    load: () => import('./services/rolling-update-bench.ts'),
  },
  swarm: {
    about:
      'a service beside Docker Swarm on the same engine [--short] [--networks bridge,host] [--tasks N] [--rounds N] [--profile DIR] [--json FILE]',
    load: () => import('./services/swarm-bench.ts'),
  },
  durability: {
    about: 'what a Redis that is killed under load loses of what it acknowledged [--rounds N] [--json FILE]',
    load: () => import('./durability/durability-bench.ts'),
  },
  failover: {
    about:
      'from kill -9 of the leader to the first new placement [--hosts N] [--tasks N] [--rounds N] [--lease 5s] [--json FILE]',
    load: () => import('./failover/failover-bench.ts'),
  },
  reconnect: {
    about: 'agents that all lose their connection at once, until all are back [--hosts N] [--rounds N] [--json FILE]',
    load: () => import('./failover/reconnect-bench.ts'),
  },
  million: {
    about:
      'a million tasks on 10,000 fake hosts [--tasks N] [--hosts N] [--idle SECONDS] [--profile DIR] [--json FILE] [--report FILE.html]',
    load: () => import('./million/million-bench.ts'),
  },
  agent: {
    about:
      'what an installed agent takes of its host: memory, idle CPU, start [--short] [--packages DIR] [--tasks N] [--seconds N] [--json FILE]',
    load: () => import('./agent/agent-bench.ts'),
  },
  idle: {
    about: 'hosts and tasks at rest, and a host that dies [--hosts N] [--tasks N] [--seconds N] [--json FILE]',
    load: () => import('./steady/idle-bench.ts'),
  },
  services: {
    about:
      'thousands of services at rest, and a change of one [--services N] [--tasks N] [--hosts N] [--seconds N] [--json FILE]',
    load: () => import('./steady/services-bench.ts'),
  },
  'start-up': {
    about: 'how long berth up and npm start take on a machine that is set up [--short] [--json FILE]',
    load: () => import('./start-up/start-up-bench.ts'),
  },
}

async function main([name, ...args]: readonly string[]): Promise<number> {
  const bench = name === undefined ? undefined : BENCHES[name]
  if (bench !== undefined) return (await bench.load()).run(args)
  process.stderr.write(name === undefined ? 'Which benchmark?\n' : `No benchmark is called ${name}.\n`)
  for (const [known, { about }] of Object.entries(BENCHES)) process.stderr.write(`  ${known.padEnd(14)} ${about}\n`)
  return 2
}

process.exitCode = await main(process.argv.slice(2))
