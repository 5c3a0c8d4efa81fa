import { type LabReport, ratesOf, type Sample } from './lab-report.ts'
import { figuresOf, shownMs, timeColumns, timeRows } from './report-text.ts'
import { type Chart, escapeXml, type Series, svgChart } from './svg-chart.ts'

const colors = ['#1f6feb', '#d1242f', '#1a7f37', '#9a6700', '#8250df'] as const

const style = `
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 900px; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; margin-bottom: 0 } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { text-align: left; padding: .2rem .9rem .2rem 0; border-bottom: 1px solid #8884; vertical-align: top }
.numbers td:not(:first-child), .numbers th:not(:first-child) { text-align: right }
figure { margin: 1.5rem 0 } figcaption span { margin-left: 1rem; white-space: nowrap }
figcaption i { display: inline-block; width: .8em; height: .8em; margin-right: .3em; border-radius: 2px }
svg { width: 100%; height: auto } svg text { font-size: 11px; fill: currentColor }
.grid { stroke: #8883 } .mark { stroke: #888; stroke-dasharray: 3 3 }
.bad { color: #d1242f; font-weight: 600 }`

/** The report as one page that needs nothing from anywhere: charts are SVG in it. */
export function reportHtml(report: LabReport): string {
  const refusals = Object.entries(report.refusals).map(([reason, count]) => [reason, count.toLocaleString('en')])
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Berth lab: ${escapeXml(report.title)}</title>
<style>${style}
</style>
</head>
<body>
<h1>${escapeXml(report.title)}</h1>
<p>Berth lab, ${escapeXml(report.startedAt)}, seed ${report.seed}. ${report.whole ? 'Every step did what it was to do.' : '<span class="bad">Not every step did what it was to do.</span>'}</p>
${table(undefined, figuresOf(report), '')}
<h2>Over time</h2>
<p><small>Dashed lines are the steps below.</small></p>
${chartsOf(report).map(svgChart).join('\n')}
<h2>Steps</h2>
${table(
  ['step', 'at', 'took', ''],
  report.steps.map(({ name, fromMs, toMs, note, succeeded }) => [
    name,
    shownMs(fromMs),
    shownMs(toMs - fromMs),
    `${succeeded ? '' : 'FAILED: '}${note}`,
  ]),
  '',
)}
<h2>Time to RUNNING</h2>
${table(timeColumns, timeRows(report), 'numbers')}
<h2>Refusals</h2>
${refusals.length === 0 ? '<p>No task was refused.</p>' : table(['reason', 'refused'], refusals, 'numbers')}
</body>
</html>
`
}

function table(heads: readonly string[] | undefined, rows: readonly (readonly string[])[], kind: string): string {
  const line = (cells: readonly string[], tag: 'th' | 'td'): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeXml(cell)}</${tag}>`).join('')}</tr>`
  return `<table class="${kind}">${heads === undefined ? '' : line(heads, 'th')}${rows.map((row) => line(row, 'td')).join('')}</table>`
}

function chartsOf({ samples, steps }: LabReport): Chart[] {
  const xs = samples.map(({ atMs }) => atMs / 1000)
  const marks = steps.map(({ fromMs, name }) => ({ at: fromMs / 1000, label: name }))
  const line = (name: string, at: number, value: (sample: Sample) => number | undefined): Series => ({
    name,
    color: colors[at % colors.length] ?? colors[0],
    values: samples.map(value),
  })
  const rate = (name: string, at: number, count: (sample: Sample) => number): Series => ({
    ...line(name, at, () => undefined),
    values: ratesOf(samples, count),
  })
  const learnt = (figure: (sample: Sample) => number) => (sample: Sample) =>
    sample.timeToRunning.count === 0 ? undefined : figure(sample) / 1000
  const percent = (part: number): number => part * 100
  const frame = { xs, marks }
  const used = (sample: Sample): number | undefined =>
    sample.fullness.packingRatio === 0 ? undefined : sample.fullness.packingRatio
  const charts: Chart[] = [
    {
      ...frame,
      title: 'Rate',
      unit: 'tasks/s',
      series: [
        rate('placed', 0, ({ placed }) => placed),
        rate('started', 2, ({ started }) => started),
        rate('ended', 3, ({ ended }) => ended),
        rate('refused', 1, ({ refused }) => refused),
      ],
    },
    {
      ...frame,
      title: 'Tasks',
      unit: 'on connected hosts',
      series: [line('running', 2, ({ running }) => running), line('pending', 3, ({ pending }) => pending)],
    },
    {
      ...frame,
      title: 'Time to RUNNING',
      unit: 's, of a sample of the tasks that started then',
      series: [
        line(
          'half',
          0,
          learnt(({ timeToRunning }) => timeToRunning.p50),
        ),
        line(
          '90 %',
          3,
          learnt(({ timeToRunning }) => timeToRunning.p90),
        ),
        line(
          '99 %',
          1,
          learnt(({ timeToRunning }) => timeToRunning.p99),
        ),
      ],
    },
    {
      ...frame,
      title: 'Fullness of hosts',
      unit: '%, the larger share of CPU and memory',
      series: [
        line('tenth least full', 0, ({ fullness }) => percent(fullness.p10)),
        line('middle', 2, ({ fullness }) => percent(fullness.p50)),
        line('tenth fullest', 1, ({ fullness }) => percent(fullness.p90)),
        line('all CPU', 3, ({ fullness }) => percent(fullness.cpu)),
        line('all memory', 4, ({ fullness }) => percent(fullness.memory)),
      ],
    },
    {
      ...frame,
      title: 'Packing ratio',
      unit: 'hosts used / fewest that could do; 1 is perfect',
      series: [line('packing ratio', 0, used)],
    },
    { ...frame, title: 'Hosts', unit: 'connected', series: [line('hosts', 0, ({ hostsConnected }) => hostsConnected)] },
  ]
  return samples.some(({ controlPlane }) => controlPlane !== undefined) ? [...charts, cpuChart(samples, frame)] : charts
}

const cpuChart = (samples: readonly Sample[], frame: Pick<Chart, 'xs' | 'marks'>): Chart => {
  const busy = (name: string, color: string, cpuSeconds: (sample: Sample) => number): Series => ({
    name,
    color,
    values: ratesOf(samples, cpuSeconds).map((part) => part * 100),
  })
  return {
    ...frame,
    title: 'CPU',
    unit: '% of a core',
    series: [
      busy('control plane', colors[0], ({ controlPlane }) => controlPlane?.cpuSeconds ?? 0),
      busy('Redis', colors[1], ({ redis }) => redis?.cpuSeconds ?? 0),
      busy('fake hosts', colors[2], ({ workers }) => workers.cpuSeconds),
    ],
  }
}
