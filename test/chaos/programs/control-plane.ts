/**
 * The control plane with a place to die at (BERTH_FAILPOINT) or a bug (BERTH_PLANTED_BUG): a program of the tests. What is shipped begins
 * in the control plane's own `main.ts`, which knows neither.
 */
import { readControlPlaneConfig } from '@berth/control-plane/config/control-plane-config.ts'
import { startControlPlane } from '@berth/control-plane/start-control-plane.ts'
import { systemClock } from '@berth/shared/clock.ts'
import { jsonLog } from '@berth/shared/log.ts'
import { systemRandom } from '@berth/shared/random.ts'
import { killAt, storeReaching } from '../failpoints/failpoint.ts'
import { controlPlaneBug } from '../plants/control-plane-bugs.ts'

const reach = killAt(process.env['BERTH_FAILPOINT'])
const bug = controlPlaneBug(process.env['BERTH_PLANTED_BUG'])
const config = await readControlPlaneConfig({}, process.env)
const log = jsonLog(config.logLevel, { program: 'control-plane', pid: process.pid })
const running = await startControlPlane(config, {
  clock: systemClock,
  random: systemRandom(),
  log,
  aroundStore: (store) => storeReaching(reach)(bug.store?.(store) ?? store),
})
process.once('SIGTERM', () => {
  void running.stop().finally(() => process.exit())
})
