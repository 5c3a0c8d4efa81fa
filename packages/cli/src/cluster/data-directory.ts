import { join } from 'node:path'

/** The files of one cluster on this machine. */
export interface DataDirectory {
  readonly root: string
  /** What the last `berth up` was told: the next one goes on with it. */
  readonly settings: string
  /** What runs now; there only while something does. */
  readonly run: string
  readonly accessKeys: string
  /** What the processes of the cluster prove themselves to each other with. */
  readonly secrets: string
  /** Who the control plane that runs, or ran last, says it is. */
  readonly holder: string
  /** What seals secrets in Redis. */
  readonly secretKey: string
  /** The roots that the API is known by; there only where it speaks HTTPS. */
  readonly ca: string
  readonly redis: string
  readonly agents: string
  readonly logs: string
  agent(number: number): string
  log(process: string): string
}

export const dataDirectoryAt = (root: string): DataDirectory => ({
  root,
  settings: join(root, 'cluster.json'),
  run: join(root, 'run.json'),
  accessKeys: join(root, 'access-keys.json'),
  secrets: join(root, 'secrets.json'),
  holder: join(root, 'control-plane.holder'),
  secretKey: join(root, 'secret.key'),
  ca: join(root, 'ca.pem'),
  redis: join(root, 'redis'),
  agents: join(root, 'agents'),
  logs: join(root, 'logs'),
  agent: (number) => join(root, 'agents', String(number)),
  log: (process) => join(root, 'logs', `${process}.log`),
})

/**
 * Where a cluster is kept when nobody says: `$XDG_STATE_HOME/berth`, or `~/.local/state/berth`. A relative
 * XDG_STATE_HOME does not count, as its specification wants.
 */
export function defaultDataDirectory(environment: NodeJS.ProcessEnv, home: string): string {
  const state = environment['XDG_STATE_HOME']
  return state?.startsWith('/') ? join(state, 'berth') : join(home, '.local', 'state', 'berth')
}
