import { parseArgs } from 'node:util'
import { type ControlPlanes, startControlPlanes } from '../../control-planes/control-planes.ts'
import { stallableProxy } from '../../control-planes/stallable-proxy.ts'
import { median, type Row } from '../measure.ts'
import { reportRows } from '../report-rows.ts'
import { clientOf, connectedHosts, startFleet, until } from './fleet.ts'

const whole = 500
const askedMs = 10_000
/** Short against the reconnection, and few enough that asking costs the control plane nothing that matters. */
const askEveryMs = 50

interface Round {
  readonly backAfterMs: number
  readonly requests: number
  readonly refused: number
}

/** Agents whose connections all break at the same moment, as when a switch restarts; users' requests go on meanwhile. */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      hosts: { type: 'string', default: String(whole) },
      rounds: { type: 'string', default: '3' },
      json: { type: 'string' },
    },
  })
  const hosts = Number(values.hosts)
  const cluster = await startControlPlanes({ count: 1 })
  const way = await stallableProxy({ host: '127.0.0.1', port: cluster.planes[0]?.agentPort ?? 0 })
  const rounds: Round[] = []
  try {
    const workers = await startFleet(cluster, hosts, [`127.0.0.1:${way.port}`])
    try {
      for (let round = 0; round < Number(values.rounds); round++) {
        rounds.push(await reconnect(cluster, hosts, () => way.drop()))
        process.stderr.write(`round ${round + 1}: ${JSON.stringify(rounds.at(-1))}\n`)
      }
    } finally {
      await workers.stop()
    }
  } finally {
    await way.close()
    await cluster.stop()
  }
  reportRows({ bench: 'reconnect', short: hosts < whole, json: values.json, rows: rowsOf(rounds, hosts) })
  return 0
}

async function reconnect(cluster: ControlPlanes, hosts: number, drop: () => void): Promise<Round> {
  const ecs = clientOf(cluster)
  const over = new AbortController()
  let [requests, refused] = [0, 0]
  const asking = (async () => {
    while (!over.signal.aborted) {
      requests += 1
      await ecs('DescribeClusters', {}).catch((error: unknown) => {
        refused += 1
        process.stderr.write(`refused: ${String(error)}\n`)
      })
      await new Promise((resolve) => setTimeout(resolve, askEveryMs))
    }
  })()
  const droppedAt = performance.now()
  drop()
  await until(async () => (await connectedHosts(cluster)) < hosts)
  await until(async () => (await connectedHosts(cluster)) === hosts)
  const backAfterMs = performance.now() - droppedAt
  over.abort()
  await asking
  return { backAfterMs, requests, refused }
}

function rowsOf(rounds: readonly Round[], hosts: number): Row[] {
  const worst = Math.max(...rounds.map(({ backAfterMs }) => backAfterMs))
  const refused = rounds.reduce((total, round) => total + round.refused, 0)
  return [
    { what: 'hosts', figure: hosts, unit: '' },
    { what: 'all sessions back, median', figure: median(rounds.map((r) => r.backAfterMs)), unit: 'ms' },
    { what: 'all sessions back, worst', figure: worst, unit: 'ms', asked: `< ${askedMs} ms`, reached: worst < askedMs },
    { what: 'requests meanwhile', figure: rounds.reduce((total, r) => total + r.requests, 0), unit: '' },
    { what: 'of those refused', figure: refused, unit: '', asked: '0', reached: refused === 0 },
  ]
}
