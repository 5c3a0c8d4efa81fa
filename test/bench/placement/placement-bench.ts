import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Row, renderTable } from '../measure.ts'
import { qualityRows } from './packing-quality.ts'
import { speedRows } from './speed.ts'

const DEFAULT_TRACES = join(import.meta.dirname, '../../../../shared/data/traces')

/** Measures the scheduler, prints the table, and with `--json FILE` writes it (`-` for the terminal). Always whole: 0. */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      short: { type: 'boolean', default: false },
      traces: { type: 'string', default: DEFAULT_TRACES },
      json: { type: 'string' },
      only: { type: 'string' },
    },
  })
  const rows: Row[] = []
  if (values.only !== 'quality') {
    rows.push(
      ...speedRows(
        values.short
          ? { rounds: 3, manyHosts: 20_000, placements: 20_000 }
          : { rounds: 5, manyHosts: 100_000, placements: 200_000 },
      ),
    )
  }
  if (values.only !== 'speed' && !values.short) {
    if (existsSync(values.traces)) rows.push(...qualityRows(values.traces))
    else process.stderr.write(`No traces in ${values.traces}: packing quality is not measured (--traces DIR).\n`)
  }
  process.stdout.write(`${renderTable(rows)}\n`)
  const json = JSON.stringify({ bench: 'placement', short: values.short, rows }, undefined, 2)
  if (values.json === '-') process.stdout.write(`${json}\n`)
  else if (values.json !== undefined) writeFileSync(values.json, `${json}\n`)
  return 0
}
