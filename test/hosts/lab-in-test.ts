import { execFileSync } from 'node:child_process'
import { afterAll, afterEach, beforeAll, describe } from 'vitest'
import { type HostsLab, type HostsLabOptions, startHostsLab } from './hosts-lab.ts'

/** Network namespaces, mounts and engines of one's own are for root to make, and not for root of every container. */
const mayMakeHosts = (): boolean => {
  try {
    execFileSync('unshare', ['--net', '--mount', 'true'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

export const describeOnLab = describe.skipIf(!mayMakeHosts())

/** A lab for the tests of one `describe`; where one fails the ends of all logs are shown. */
export function labForTests(options: HostsLabOptions): { readonly current: HostsLab } {
  let lab: HostsLab | undefined
  const current = (): HostsLab => {
    if (lab === undefined) throw new Error('the lab is not up')
    return lab
  }
  beforeAll(async () => {
    lab = await startHostsLab(options)
  })
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') console.error(current().logTails())
  })
  afterAll(async () => {
    await lab?.stop()
  })
  return {
    get current() {
      return current()
    },
  }
}

/** So that a host counts as lost after seconds and not a minute. */
export const quickHostLoss = {
  BERTH_HEARTBEAT: '500ms',
  BERTH_HOST_DISCONNECTED_AFTER: '3s',
  BERTH_HOST_LOST_AFTER: '6s',
  BERTH_SETTLE_TIME: '1s',
}
