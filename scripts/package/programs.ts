/** A program that Berth is installed as: one file that needs nothing beside it, and what makes a service of it. */
export interface InstalledProgram {
  /** What it is made of, relative to the root of the repository. */
  readonly entry: string
  /** In one line, as a list of packages shows it. */
  readonly about: string
  /** Further lines of the package's description. */
  readonly description: readonly string[]
  /** Programs that it is no use without, and that may be on another machine. */
  readonly recommends: readonly string[]
  /** The name of its settings under `/etc/berth`; `deploy/settings` has what it begins as. */
  readonly settings: string
  /** Options of Node that it always has. */
  readonly nodeOptions: readonly string[]
  /** Where it keeps what it knows, under `/var/lib/berth`. */
  readonly state: string
}

export const programs = {
  berth: {
    entry: 'packages/cli/src/main.ts',
    about: 'Amazon ECS for your own Linux machines: control plane and command line',
    description: [
      'The control plane answers the API of Amazon ECS and places tasks on the hosts',
      'that have joined it. It keeps its records in Redis. The command berth makes',
      'join tokens and access keys, explains placement, and runs whole clusters on',
      'one machine.',
    ],
    recommends: ['redis-server'],
    nodeOptions: [],
    settings: 'control-plane.env',
    state: 'control-plane',
  },
  'berth-agent': {
    entry: 'packages/agent/src/main.ts',
    about: 'Amazon ECS for your own Linux machines: agent of a host',
    description: [
      'The agent makes this machine a container instance of a Berth cluster: it runs',
      'the tasks that the control plane places here in Docker. It joins by',
      '"berth-agent join --server https://HOST:PORT --token TOKEN".',
    ],
    recommends: ['docker.io | docker-ce | moby-engine'],
    // It shares its machine with tasks and has little to do: room for what is new and soon gone, and threads, are a sixth of its memory.
    nodeOptions: ['--max-semi-space-size=1', '--v8-pool-size=1'],
    settings: 'agent.env',
    state: 'agent',
  },
} as const satisfies Record<string, InstalledProgram>

export type Program = keyof typeof programs
export const programNames = Object.keys(programs) as readonly Program[]
