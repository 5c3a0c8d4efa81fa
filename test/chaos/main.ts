/**
 * `pnpm chaos [--faults 20] [--seed N] [--hosts 3] [--control-planes 2] [--report FILE]`: runs a real cluster under load through faults, and
 * exits 0 only when nothing that must hold was broken. A failure prints its seed and its history.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { randomBelow, systemRandom } from '@berth/shared/random.ts'
import { runChaos } from './chaos-run.ts'

const { values } = parseArgs({
  options: {
    faults: { type: 'string', default: '20' },
    seed: { type: 'string' },
    hosts: { type: 'string', default: '3' },
    'control-planes': { type: 'string', default: '2' },
    report: { type: 'string', default: '.berth/chaos/report.json' },
  },
})

const seed = values.seed === undefined ? randomBelow(systemRandom(), 1_000_000) : Number(values.seed)
console.log(`chaos: seed ${seed}, ${values.faults} faults`)
const report = await runChaos({
  seed,
  faults: Number(values.faults),
  hosts: Number(values.hosts),
  controlPlanes: Number(values['control-planes']),
  log: (line) => console.log(line),
})
mkdirSync(dirname(values.report), { recursive: true })
writeFileSync(values.report, JSON.stringify(report, undefined, 2))
if (!report.held) {
  console.error(report.history.join('\n'))
  console.error(report.logs)
}
const { history, logs, ...summary } = report
console.log(JSON.stringify(summary, undefined, 2))
console.log(
  `The history of ${history.length} lines${logs === '' ? '' : ' and the ends of all logs'} is in ${values.report}.`,
)
console.log(report.held ? 'Every invariant held.' : `NOT HELD: pnpm chaos --faults ${values.faults} --seed ${seed}`)
process.exit(report.held ? 0 : 1)
