import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemRandom } from '@berth/shared/random.ts'
import { afterAll, expect, test } from 'vitest'
import type { CommandContext } from '../command-context.ts'
import { processClock } from '../process-clock.ts'
import type { LabReport } from './lab-report.ts'
import { lab } from './lab.ts'

const directory = mkdtempSync(join(tmpdir(), 'berth-lab-test-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const scenario = `
hosts: { count: 20, zones: 2 }
tasks:
  web: { pull: 20ms, start: 20ms, stop: 20ms }
  big: { cpu: 4096, memory: 512, pull: 20ms, start: 20ms, run: 200ms }
steps:
  - createService: { name: web, task: web, count: 60, strategy: ['spread(attribute:ecs.availability-zone)'] }
  - runTasks: { task: web, count: 40 }
  - waitUntilSteady: 60s
  # Fewer than twenty hosts are empty.
  - runTasks: { task: big, count: 20 }
  - waitUntilSteady: 60s
  - kill: { hosts: 2, zone: b }
  - waitUntilSteady: 60s
  - return: {}
  - waitUntilSteady: 60s
`

test('a hundred tasks on twenty fake hosts, of which two are lost and come back', async () => {
  const file = join(directory, 'scenario.yaml')
  const page = join(directory, 'report.html')
  writeFileSync(file, scenario)
  const said: string[] = []
  const out: string[] = []
  const context: CommandContext = {
    environment: {
      PATH: process.env['PATH'],
      // Within what a test has time for.
      BERTH_HEARTBEAT: '500ms',
      BERTH_SETTLE_TIME: '500ms',
      BERTH_HOST_DISCONNECTED_AFTER: '2s',
      BERTH_HOST_LOST_AFTER: '4s',
    },
    clock: processClock,
    random: systemRandom(),
    out: (line) => void out.push(line),
    err: (line) => void said.push(line),
  }
  const code = await lab({ hosts: {}, scenario: file, report: page, json: true, cluster: 'lab' }, context)

  const report = JSON.parse(out.join('\n')) as LabReport
  expect(report.steps.filter(({ succeeded }) => !succeeded)).toEqual([])
  expect(code).toBe(0)
  expect(report.hosts).toBe(20)
  expect(report.started).toBeGreaterThanOrEqual(100)
  expect(Object.keys(report.refusals)).toContain('RESOURCE:CPU')
  expect(report.times.toRunning.count).toBeGreaterThan(0)
  expect(report.controlPlane?.rssBytes).toBeGreaterThan(2 ** 20)
  expect(report.samples.at(-1)?.hostsConnected).toBe(20)
  expect(readFileSync(page, 'utf8')).toContain('<svg')
  expect(said).toContain('==> kill 2 hosts of zone b')
})
