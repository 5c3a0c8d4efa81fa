import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

/** The lines of a gzipped CSV file without its header, cut at commas. */
export function csvRows(traces: string, file: string): string[][] {
  const text = gunzipSync(readFileSync(join(traces, file))).toString('utf8')
  return text
    .trim()
    .split(/\r?\n/)
    .slice(1)
    .map((line) => line.split(','))
}

/** One vector bin packing instance: what a bin holds, and the items, each with as many dimensions. */
export interface PackingInstance {
  readonly name: string
  readonly bin: readonly number[]
  readonly items: readonly (readonly number[])[]
  readonly bestKnown: number
}

/** The published instances of so many dimensions, with the best number of bins that is known. */
export function packingInstances(traces: string, dimensions: number): PackingInstance[] {
  const summary = readFileSync(join(traces, 'vectorpack_new_summary.csv'), 'utf8').trim().split('\n').slice(1)
  const instances: PackingInstance[] = []
  const texts = instanceTexts(traces)
  for (const line of summary) {
    const [name = '', , , best = ''] = line.split('\t')
    const numbers = texts.get(name)
    if (numbers === undefined || numbers[0] !== dimensions) continue
    const bin = numbers.slice(1, 1 + dimensions)
    const items: number[][] = []
    for (let at = 2 + dimensions; at + dimensions < numbers.length; at += dimensions + 1) {
      const item = numbers.slice(at, at + dimensions)
      for (let copy = numbers[at + dimensions] ?? 0; copy > 0; copy--) items.push(item)
    }
    instances.push({ name, bin, items, bestKnown: Number(best) })
  }
  return instances
}

/** The numbers of every instance by its name, straight out of the archive. */
function instanceTexts(traces: string): Map<string, number[]> {
  const archive = join(traces, 'vectorpack_new_instances.tar.gz')
  const names = execFileSync('tar', ['tzf', archive], { encoding: 'utf8' })
    .split(/\r?\n/)
    .filter((name) => name.endsWith('.vbp'))
  const all = execFileSync('tar', ['xzf', archive, '--to-command', 'cat; echo @'], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  const texts = new Map<string, number[]>()
  for (const [at, text] of all.split('@').entries()) {
    const name = names[at]?.split('/').at(-1)?.replace('.vbp', '')
    if (name !== undefined) texts.set(name, text.trim().split(/\s+/).map(Number))
  }
  return texts
}
