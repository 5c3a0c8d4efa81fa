import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { isSea } from 'node:sea'
import { promisify } from 'node:util'

/** The service that a package, or `install.sh`, has made of the agent. */
export interface InstalledService {
  readonly name: string
  /** Starts it now and at every start of the machine. @throws Error with what systemd said. */
  start(): Promise<void>
}

const name = 'berth-agent.service'
const unitDirectories = ['/etc/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system']

/** The service of this machine, if systemd runs here and knows one, and this is root; not for an agent that runs from its sources. */
export function installedService(): InstalledService | undefined {
  const isKnown = unitDirectories.some((directory) => existsSync(`${directory}/${name}`))
  if (!isSea() || !isKnown || !existsSync('/run/systemd/system') || process.getuid?.() !== 0) return undefined
  const systemctl = (...args: readonly string[]) => promisify(execFile)('systemctl', args)
  return {
    name,
    async start() {
      await systemctl('--quiet', 'enable', name)
      // One that waits between two starts, or was started with older settings, begins anew.
      await systemctl('restart', name)
    },
  }
}
