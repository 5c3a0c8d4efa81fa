import { expect, test } from 'vitest'
import { type LabReport, ratesOf, type Sample } from './lab-report.ts'
import { spreadOf } from './percentiles.ts'
import { reportHtml } from './report-html.ts'
import { progressLine, reportText } from './report-text.ts'
import { niceCeiling, svgChart } from './svg-chart.ts'

const usage = { cpuSeconds: 1.5, rssBytes: 200 * 2 ** 20 }
const fullness = { cpu: 0.5, memory: 0.25, p10: 0, p50: 0.5, p90: 1, hostsUsed: 6, packingRatio: 1.2 }
const sample = (atMs: number, placed: number): Sample => ({
  atMs,
  placed,
  started: placed,
  ended: 0,
  refused: 0,
  hostsConnected: 10,
  running: placed,
  pending: 0,
  fullness,
  timeToRunning: spreadOf(atMs === 0 ? [] : [500]),
  controlPlane: usage,
  redis: usage,
  workers: usage,
})
const report: LabReport = {
  title: 'a <script> & more',
  seed: 7,
  hosts: 10,
  startedAt: '2026-01-02T03:04:05.000Z',
  tookMs: 2000,
  whole: false,
  steps: [
    { name: 'run 100 web', fromMs: 0, toMs: 500, note: '', succeeded: true },
    { name: 'wait until steady', fromMs: 500, toMs: 2000, note: 'not steady: 1 tasks are pending', succeeded: false },
  ],
  placed: 100,
  started: 100,
  ended: 0,
  peakPlacedPerSecond: 100,
  peakStartedPerSecond: 90,
  times: { toRunning: spreadOf([400, 1500]), toHost: spreadOf([50]), pulling: spreadOf([]), starting: spreadOf([]) },
  unanswered: 2,
  refusals: { 'RESOURCE:CPU': 12 },
  fullness,
  controlPlane: usage,
  redis: usage,
  workers: usage,
  samples: [sample(0, 0), sample(1000, 100), sample(2000, 100)],
}

test('rates are per second, whatever the time between samples', () => {
  expect(ratesOf([sample(0, 0), sample(500, 100), sample(2500, 300)], ({ placed }) => placed)).toEqual([0, 200, 100])
})

test('the text has steps, figures, times and refusals, and says what failed', () => {
  const text = reportText(report)
  expect(text).toMatch(/wait until steady +500 ms +1\.5 s +FAILED: not steady: 1 tasks are pending/)
  expect(text).toMatch(/unanswered +2 looks/)
  expect(text).toMatch(/packing ratio +1\.200/)
  expect(text).toMatch(/control plane +1\.5 s of CPU, at most 200 MiB/)
  expect(text).toMatch(/created to RUNNING +2 +950 ms +400 ms +1\.5 s/)
  expect(text).toMatch(/12 +RESOURCE:CPU/)
})

test('the page needs nothing from outside, and shows no markup of others as its own', () => {
  const page = reportHtml(report)
  expect(page).not.toMatch(/(src|href)=|@import|url\(|<script/)
  expect(page).toContain('a &lt;script&gt; &amp; more')
  expect(page).toContain('Not every step')
  for (const title of ['Rate', 'Time to RUNNING', 'Fullness of hosts', 'Packing ratio', 'CPU'])
    expect(page).toContain(`<b>${title}</b>`)
  expect(page).toContain('<td>RESOURCE:CPU</td><td>12</td>')
})

test('a page of no sample is a page', () => {
  expect(reportHtml({ ...report, samples: [] })).not.toMatch(/NaN|Infinity|undefined/)
})

test('a line stands where its values are, with gaps where there are none', () => {
  const series = [{ name: 'it', color: 'red', values: [0, 10, undefined, 10] }]
  const svg = svgChart({ title: 't', unit: 'u', xs: [0, 1, 2, 3], series, marks: [{ at: 1, label: 'step' }] })
  // From the lower left up to the top, then, after the gap, at the right edge of the top.
  expect(svg).toContain('d="M62 210L323.3 16M846 16"')
  expect(svg).toContain('<title>step</title>')
})

test.each([
  [0, 1],
  [0.7, 1],
  [1, 1],
  [12, 20],
  [21, 25],
  [260, 500],
  [501, 1000],
])('the axis of %d ends at %d', (value, end) => {
  expect(niceCeiling(value)).toBe(end)
})

test('a line of progress says how fast it goes', () => {
  const line = progressLine(sample(3000, 400), sample(1000, 100), 'run 500 web')
  expect(line).toContain('placed 400 (+150/s)')
  expect(line).toContain('run 500 web')
})
