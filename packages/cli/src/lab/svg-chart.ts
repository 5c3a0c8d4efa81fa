/** A line of a chart: a value for each x; a gap where there is none. */
export interface Series {
  readonly name: string
  readonly color: string
  readonly values: readonly (number | undefined)[]
}

export interface Chart {
  readonly title: string
  /** What the values are, as `tasks/s`. */
  readonly unit: string
  /** Ascending from 0, in seconds. */
  readonly xs: readonly number[]
  readonly series: readonly Series[]
  /** Moments to be marked: steps of the scenario. */
  readonly marks: readonly { readonly at: number; readonly label: string }[]
}

const width = 860
const height = 240
const inset = { left: 62, right: 14, top: 16, bottom: 30 }
const ticks = 5

/** A line chart as an SVG element that needs nothing from outside. */
export function svgChart({ title, unit, xs, series, marks }: Chart): string {
  const first = 0
  const last = Math.max(xs.at(-1) ?? 1, 1)
  const most = niceCeiling(
    Math.max(0, ...series.flatMap(({ values }) => values.filter((value) => value !== undefined))),
  )
  const x = (at: number): number =>
    round(inset.left + ((at - first) / (last - first)) * (width - inset.left - inset.right))
  const y = (value: number): number =>
    round(height - inset.bottom - (value / most) * (height - inset.top - inset.bottom))
  const grid = Array.from({ length: ticks }, (_, index) => {
    const value = (most * index) / (ticks - 1)
    const at = y(value)
    return `<line x1="${inset.left}" x2="${width - inset.right}" y1="${at}" y2="${at}" class="grid"/><text x="${inset.left - 6}" y="${at + 4}" text-anchor="end">${shown(value)}</text>`
  })
  const times = Array.from({ length: ticks }, (_, index) => {
    const at = first + ((last - first) * index) / (ticks - 1)
    return `<text x="${x(at)}" y="${height - 10}" text-anchor="middle">${shown(at)} s</text>`
  })
  const marked = marks.map(
    ({ at, label }) =>
      `<line x1="${x(at)}" x2="${x(at)}" y1="${inset.top}" y2="${height - inset.bottom}" class="mark"><title>${escapeXml(label)}</title></line>`,
  )
  const lines = series.map(
    ({ name, color, values }) =>
      `<path d="${pathOf(xs, values, x, y)}" fill="none" stroke="${color}" stroke-width="1.8"><title>${escapeXml(name)}</title></path>`,
  )
  const legend = series
    .map(({ name, color }) => `<span><i style="background:${color}"></i>${escapeXml(name)}</span>`)
    .join('')
  return `<figure><figcaption><b>${escapeXml(title)}</b> <small>${escapeXml(unit)}</small>${legend}</figcaption><svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeXml(title)}">${[...grid, ...times, ...marked, ...lines].join('')}</svg></figure>`
}

function pathOf(
  xs: readonly number[],
  values: readonly (number | undefined)[],
  x: (at: number) => number,
  y: (value: number) => number,
): string {
  let path = ''
  let down = false
  for (const [index, at] of xs.entries()) {
    const value = values[index]
    if (value !== undefined) path += `${down ? 'L' : 'M'}${x(at)} ${y(value)}`
    down = value !== undefined
  }
  return path
}

/** The least of 1, 2, 2.5, 5 and 10 times a power of ten that is not below the value. */
export function niceCeiling(value: number): number {
  if (value <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 2.5, 5].find((factor) => factor * power >= value) ?? 10) * power
}

const round = (value: number): number => Math.round(value * 10) / 10

const shown = (value: number): string =>
  Math.abs(value) >= 10 ? Math.round(value).toLocaleString('en') : String(Math.round(value * 100) / 100)

export const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
