const TIMESTAMP = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?)?$/

/**
 * Reads `2018-06-18T22:28:28+00:00`, the same with `Z`, without seconds or without zone (then UTC), or a bare date.
 * Returns ms since the epoch, or nothing when the text is no such time.
 */
export function parseTimestamp(text: string): number | undefined {
  const match = TIMESTAMP.exec(text)
  if (match === null) return undefined
  const [year, month, day, hour, minute, second] = [1, 2, 3, 4, 5, 6].map((at) => Number(match[at] ?? 0)) as Six
  const fraction = Number(`0.${match[7] ?? 0}`)
  if (minute > 59 || second > 59) return undefined
  const utc = Date.UTC(year, month - 1, day, hour, minute, second, Math.floor(fraction * 1000))
  // Hours beyond 23, days and months that there are not: another day.
  if (new Date(utc).getUTCDate() !== day || new Date(utc).getUTCMonth() !== month - 1) return undefined
  return utc - offsetMs(match[8])
}

type Six = [number, number, number, number, number, number]

function offsetMs(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z') return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2))
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000
}
