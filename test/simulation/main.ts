/**
 * `pnpm simulate --seeds 10000 [--seed N] [--steps 100] [--hosts 3]`: runs whole cells through lives of chance, from seed N on (default 1).
 * Prints every seed that fails with its history, and exits 1 if there was one.
 */
import { parseArgs } from 'node:util'
import { runSeed, stepsPerSeed } from './run-seed.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    steps: { type: 'string', default: String(stepsPerSeed) },
    hosts: { type: 'string', default: '3' },
  },
})
const first = Number(values.seed)
const count = Number(values.seeds)
const began = performance.now()
const failed: number[] = []
let said = began

for (let seed = first; seed < first + count; seed++) {
  try {
    await runSeed({ seed, steps: Number(values.steps), hosts: Number(values.hosts) })
  } catch (error) {
    failed.push(seed)
    console.error(`${(error as Error).message}\n`)
  }
  if (performance.now() - said < 5000) continue
  said = performance.now()
  console.log(`${seed - first + 1} of ${count} seeds, ${failed.length} failed`)
}

const seconds = (performance.now() - began) / 1000
console.log(`${count} seeds in ${seconds.toFixed(1)} s, ${failed.length} failed: ${failed.join(' ') || 'none'}`)
process.exitCode = failed.length > 0 ? 1 : 0
