import { parseArgs } from 'node:util'
import { killRedisUnderLoad } from '../../redis/durability.ts'
import { reportRows } from '../report-rows.ts'

const whole = 20

/** Redis with `appendfsync always`, killed with SIGKILL again and again under the writes of a cell: what was acknowledged must be there. */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { rounds: { type: 'string', default: String(whole) }, json: { type: 'string' } },
  })
  const rounds = Number(values.rounds)
  const { kills, acknowledged, lost } = await killRedisUnderLoad(rounds, (sofar) =>
    process.stderr.write(`${JSON.stringify(sofar)}\n`),
  )
  const rows = [
    { what: 'kills', figure: kills, unit: '' },
    { what: 'batches acknowledged', figure: acknowledged, unit: '' },
    { what: 'of those lost', figure: lost, unit: '', asked: '0', reached: lost === 0 },
  ]
  reportRows({ bench: 'durability', short: rounds < whole, json: values.json, rows })
  return lost === 0 ? 0 : 1
}
