import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startControlPlanes } from '../../control-planes/control-planes.ts'

test('a control plane that is killed and started again on its machine leads at once, long before its lease would have run out', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-holder-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  // No test waits for so long: whoever leads again has not waited for the lease's end.
  const settings = { BERTH_LEASE: '1h', BERTH_HOLDER_FILE: join(directory, 'holder') }
  const cluster = await startControlPlanes({ count: 1, settings })
  onTestFinished(() => cluster.stop())
  const [plane] = cluster.planes
  if (plane === undefined) throw new Error('one was started')
  for (let restart = 0; restart < 2; restart++) {
    await plane.kill()
    plane.start()
    await vi.waitUntil(async () => (await plane.health())?.leading === true, { timeout: 60_000, interval: 20 })
  }
  expect(plane.log()).toContain('this control plane leads the cell')
})
