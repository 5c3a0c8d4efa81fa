/** What kinds of machine there are packages for: Node's word for each, Debian's, and the kernel's, as `uname -m` says it. */
export const machines = {
  x64: { debian: 'amd64', kernel: 'x86_64' },
  arm64: { debian: 'arm64', kernel: 'aarch64' },
} as const

export type Machine = keyof typeof machines

export const isMachine = (name: string): name is Machine => Object.hasOwn(machines, name)
