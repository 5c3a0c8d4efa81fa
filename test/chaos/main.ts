/**
 * `pnpm chaos --failpoints [--at NAME]...`: has a process die at every named place once.
 * `pnpm chaos --planted [--bug NAME]...`: plants bugs one by one, and exits 0 only when each was noticed.
 * `pnpm chaos [--faults 20] [--seed N] [--hosts 3] [--control-planes 2] [--sentinel] [--only FAULT]... [--report FILE]`: runs a real cluster
 * under load through faults, and exits 0 only when nothing that must hold was broken. A failure prints its seed and its history.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { randomBelow, systemRandom } from '@berth/shared/random.ts'
import { runChaos } from './chaos-run.ts'
import { type FaultName, faultNames } from './faults.ts'
import { runFailpoints } from './failpoint-run.ts'
import { failpointNames } from './failpoints/failpoint-names.ts'
import { plantedBugs, type PlantedReport, runPlanted } from './planted-run.ts'

const { values } = parseArgs({
  options: {
    faults: { type: 'string', default: '20' },
    seed: { type: 'string' },
    hosts: { type: 'string', default: '3' },
    'control-planes': { type: 'string', default: '2' },
    only: { type: 'string', multiple: true, default: [...faultNames] },
    sentinel: { type: 'boolean', default: false },
    failpoints: { type: 'boolean', default: false },
    planted: { type: 'boolean', default: false },
    at: { type: 'string', multiple: true },
    bug: { type: 'string', multiple: true },
    report: { type: 'string', default: '.berth/chaos/report.json' },
  },
})

const seed = values.seed === undefined ? randomBelow(systemRandom(), 1_000_000) : Number(values.seed)
if (values.failpoints) await failpoints()
else if (values.planted) await planted()
else await faults()

async function faults(): Promise<void> {
  console.log(`chaos: seed ${seed}, ${values.faults} faults`)
  const ending = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => {
      console.log('no more faults: all is healed, and looked at')
      ending.abort()
    })
  const { history, logs, ...summary } = await runChaos({
    seed,
    faults: Number(values.faults),
    among: values.only.map(faultNamed),
    signal: ending.signal,
    hosts: Number(values.hosts),
    controlPlanes: Number(values['control-planes']),
    ...(values.sentinel && { lab: { redisServers: 3 } }),
    log: (line) => console.log(line),
  })
  conclude(summary, history, logs, `--faults ${values.faults} --seed ${seed}${values.sentinel ? ' --sentinel' : ''}`)
}

function faultNamed(name: string): FaultName {
  const found = faultNames.find((each) => each === name)
  if (found === undefined) throw new Error(`there is no fault "${name}"; there are ${faultNames.join(', ')}`)
  return found
}

async function failpoints(): Promise<void> {
  console.log(`chaos: seed ${seed}, a death at each of ${failpointNames.length} places`)
  const { history, logs, ...summary } = await runFailpoints({
    seed,
    ...(values.at && { names: values.at }),
    log: (line) => console.log(line),
  })
  conclude(summary, history, logs, `--failpoints --seed ${seed}`)
}

async function planted(): Promise<void> {
  const names = values.bug ?? Object.keys(plantedBugs)
  const rows: PlantedReport[] = []
  for (const name of names) {
    const row = await runPlanted(name, seed)
    rows.push(row)
    console.log(
      `${row.noticed ? 'noticed' : 'NOT NOTICED'}: ${name} (${row.says}), seed ${row.seed}, ${row.seconds} s: ${row.words}`,
    )
  }
  const summary = { held: rows.every(({ noticed }) => noticed), rows }
  conclude(summary, [], '', `--planted --seed ${seed}`)
}

/** Writes the report, says how it went, and ends the process by it. */
function conclude(summary: { readonly held: boolean }, history: readonly string[], logs: string, again: string): never {
  mkdirSync(dirname(values.report), { recursive: true })
  writeFileSync(values.report, JSON.stringify({ ...summary, history, logs }, undefined, 2))
  if (!summary.held) console.error([...history, logs].join('\n'))
  console.log(JSON.stringify(summary, undefined, 2))
  console.log(summary.held ? `Everything held; the report is ${values.report}.` : `NOT HELD: pnpm chaos ${again}`)
  process.exit(summary.held ? 0 : 1)
}
