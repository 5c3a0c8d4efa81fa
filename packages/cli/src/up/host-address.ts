import { createHash } from 'node:crypto'

/** As many hosts as one cluster on a machine can have addresses. */
export const mostHosts = 250

/**
 * The loopback address of host `number` (from 1) of the cluster in a data directory: 127.64.0.0 to 127.127.255.255, the
 * same at every start. Two middle bytes are drawn from the directory's path, so that clusters side by side on a machine do
 * not meet (two of them do in 1 of 16,384 cases), nor the addresses that systems use themselves (127.0.0.1, 127.0.1.1,
 * 127.0.0.53).
 */
export function hostAddress(dataDirectory: string, number: number): string {
  const [first = 0, second = 0] = createHash('sha256').update(dataDirectory).digest()
  return `127.${64 + (first & 63)}.${second}.${number}`
}

/** The zone of host `number` (from 1): zones are taken in turn. One or two letters follow the region's name, as `a`. */
export function hostZone(region: string, zones: readonly string[], number: number): string {
  const zone = zones[(number - 1) % zones.length] ?? 'a'
  return zone.length <= 2 ? region + zone : zone
}
