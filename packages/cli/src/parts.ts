/**
 * The programs that `berth` starts as processes of their own and is itself, when its first argument names one. So a file that
 * holds `berth` holds a whole cluster.
 */
const parts = {
  'control-plane': () => import('@berth/control-plane/main.ts'),
  agent: () => import('@berth/agent/main.ts'),
  'lab-hosts': () => import('./lab/host-worker.ts'),
} as const

export type Part = keyof typeof parts

/** The part that a command line asks for. */
export const partOf = (argv: readonly string[]): Part | undefined =>
  Object.keys(parts).find((name): name is Part => name === argv[2])

/** Becomes the part: from here on the process's arguments are the part's own. */
export async function becomePart(part: Part): Promise<void> {
  process.argv.splice(2, 1)
  await parts[part]()
}
