import { textTable } from '../text-table.ts'
import type { LabReport, Sample } from './lab-report.ts'
import type { Spread } from './percentiles.ts'
import type { ProcessUsage } from './process-usage.ts'

/** A duration in ms as people read it. */
export const shownMs = (ms: number): string => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`)

export const shownPart = (part: number): string => `${(part * 100).toFixed(1)} %`

const shownCount = (count: number): string => Math.round(count).toLocaleString('en')

/** One line of live progress: what there is now, and how fast it changes since the sample before. */
export function progressLine(sample: Sample, before: Sample | undefined, step: string): string {
  const seconds = (sample.atMs - (before?.atMs ?? 0)) / 1000
  const rate = (count: (of: Sample) => number): string =>
    shownCount((count(sample) - (before === undefined ? 0 : count(before))) / Math.max(seconds, 0.001))
  return [
    `${(sample.atMs / 1000).toFixed(0).padStart(5)} s`,
    `hosts ${shownCount(sample.hostsConnected)}`,
    `placed ${shownCount(sample.placed)} (+${rate(({ placed }) => placed)}/s)`,
    `started ${shownCount(sample.started)} (+${rate(({ started }) => started)}/s)`,
    `running ${shownCount(sample.running)}`,
    `refused ${shownCount(sample.refused)}`,
    `full ${shownPart(Math.max(sample.fullness.cpu, sample.fullness.memory))}`,
    step,
  ].join('  ')
}

/** The figures of a run as pairs of name and figure, for terminal and page alike. */
export function figuresOf(report: LabReport): readonly (readonly [string, string])[] {
  const { fullness } = report
  const usage = (name: string, used: ProcessUsage | undefined): (readonly [string, string])[] =>
    used === undefined
      ? []
      : [[name, `${used.cpuSeconds.toFixed(1)} s of CPU, at most ${Math.round(used.rssBytes / 2 ** 20)} MiB resident`]]
  return [
    ['hosts', shownCount(report.hosts)],
    ['took', shownMs(report.tookMs)],
    ['tasks placed', `${shownCount(report.placed)} (at most ${shownCount(report.peakPlacedPerSecond)} in a second)`],
    ['tasks started', `${shownCount(report.started)} (at most ${shownCount(report.peakStartedPerSecond)} in a second)`],
    ['tasks ended', shownCount(report.ended)],
    ['CPU promised', shownPart(fullness.cpu)],
    ['memory promised', shownPart(fullness.memory)],
    ['hosts used', shownCount(fullness.hostsUsed)],
    ['packing ratio', `${fullness.packingRatio.toFixed(3)} (hosts used / fewest that could do)`],
    ...(report.unanswered === 0 ? [] : [['unanswered', `${report.unanswered} looks, tried again`] as const]),
    ...usage('control plane', report.controlPlane),
    ...usage('Redis', report.redis),
    ...usage('fake hosts', report.workers),
  ]
}

/** Where the time of a task goes, as rows of a table. */
export function timeRows({ times }: LabReport): readonly (readonly string[])[] {
  const row = (name: string, spread: Spread): readonly string[] => [
    name,
    shownCount(spread.count),
    ...[spread.mean, spread.p50, spread.p90, spread.p99, spread.max].map(shownMs),
  ]
  return [
    row('created to RUNNING', times.toRunning),
    row('  placed, durable, on its host', times.toHost),
    row('  pull', times.pulling),
    row('  create and start', times.starting),
  ]
}

export const timeColumns = ['time of a task', 'sampled', 'mean', 'half', '90 %', '99 %', 'longest'] as const

/** The report for a terminal. */
export function reportText(report: LabReport): string {
  const columns = (heads: readonly string[]) => heads.map((head, at) => ({ head, align: rightFrom(at) }))
  const refusals = Object.entries(report.refusals)
  const sections = [
    textTable(
      columns(['step', 'at', 'took']).concat({ head: '', align: 'left' }),
      report.steps.map(({ name, fromMs, toMs, note, succeeded }) => [
        name,
        shownMs(fromMs),
        shownMs(toMs - fromMs),
        `${succeeded ? '' : 'FAILED: '}${note}`,
      ]),
    ),
    figuresOf(report).map(([name, figure]) => `${name.padEnd(16)}${figure}`),
    textTable(columns(timeColumns), timeRows(report)),
    refusals.length === 0
      ? ['No task was refused.']
      : textTable(
          [{ head: 'refused', align: 'right' }, { head: 'reason' }],
          refusals.map(([reason, count]) => [shownCount(count), reason]),
        ),
  ]
  return sections.map((lines) => lines.join('\n')).join('\n\n')
}

const rightFrom = (at: number): 'left' | 'right' => (at === 0 ? 'left' : 'right')
