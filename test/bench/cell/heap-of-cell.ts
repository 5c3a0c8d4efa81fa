import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { AgentConnection } from '@berth/control-plane/dispatch/agent-connection.ts'
import { applyStatusReport } from '@berth/control-plane/dispatch/status-intake.ts'
import { memoryStore } from '@berth/control-plane/store/memory/memory-store.ts'
import type { Store } from '@berth/control-plane/store/store.ts'
import { noSecretStore } from '@berth/control-plane/task-resources/file-secret-store.ts'
import { systemClock } from '@berth/shared/clock.ts'
import { AgentMessage, Hello, TaskReport } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import type { Row } from '../measure.ts'
import { type BenchCell, family, startBenchCell } from './bench-cell.ts'
import { runningReport } from './tasks-in-memory.ts'

const askedKibPerHost = 20
const askedKibPerTask = 2.5
const tasksPerCall = 500

/**
 * What a connected host and a running task take of a control plane's heap: the slope between two sizes, each after a full collection. A host
 * is its record, its room and its session, over a link that leads nowhere: the TLS connection is not in it.
 */
export async function heapRows(hosts: number, short: boolean): Promise<Row[]> {
  const bench = await startBenchCell(forgetful(memoryStore({ clock: systemClock })), 100)
  const sessions: AgentConnection[] = []
  const hostCounts = [Math.ceil(hosts / 10), hosts]
  const perHost = await slope(hostCounts, (count) => connect(bench, sessions, count))
  const taskCounts = short ? [2000, 10_000] : [20_000, 100_000]
  const perTask = await slope(taskCounts, (count) => runUpTo(bench, count))
  if (sessions.length !== hosts) throw new Error('not every host has a session')
  bench.cell.close('measured')
  const row = (what: string, bytes: number, asked: number): Row => ({
    what,
    figure: bytes / 1024,
    unit: 'KiB',
    asked: `<= ${asked} KiB`,
    reached: bytes / 1024 <= asked,
  })
  return [
    row(
      `heap of a connected host beside its TLS connection, ${hostCounts.join(' to ')} hosts`,
      perHost,
      askedKibPerHost,
    ),
    row(`heap of a running task, ${taskCounts.join(' to ')} tasks`, perTask, askedKibPerTask),
  ]
}

/** Bytes for each one more, after `grow` made them `few` and then `many`. */
async function slope([few = 0, many = 0]: readonly number[], grow: (count: number) => Promise<void>): Promise<number> {
  await grow(few)
  const before = heapUsed()
  await grow(many)
  return (heapUsed() - before) / (many - few)
}

/** After a full collection: what is held is left. */
function heapUsed(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
  const { heapUsed: heap, external } = process.memoryUsage()
  return heap + external
}

/** Takes everything and keeps nothing: in a control plane the records are in another process. */
function forgetful(store: Store): Store {
  return { ...store, commit: () => Promise.resolve({ kind: 'committed' }) }
}

async function connect({ deps }: BenchCell, sessions: AgentConnection[], count: number): Promise<void> {
  while (sessions.length < count) {
    const number = sessions.length + 1
    const connection = new AgentConnection(
      { send() {}, close() {} },
      { kind: 'anybody' },
      {
        ...deps,
        resources: { secrets: noSecretStore, environmentFiles: { read: () => Promise.reject(new Error('none')) } },
        authenticate: () => true,
        heartbeatIntervalMs: () => 5000,
        mayJoin: () => true,
        raiseAbove() {},
        joined() {},
        left() {},
      },
    )
    sessions.push(connection)
    // As it comes off the wire, so that nothing of one host is shared with another's.
    await connection.receive(AgentMessage.decode(AgentMessage.encode(helloOf(number)).finish()))
  }
}

const helloOf = (number: number): AgentMessage => ({
  message: {
    $case: 'hello',
    value: Hello.fromPartial({
      protocolVersion: 1,
      agentVersion: '0.1.0',
      agentHash: 'bench',
      dockerVersion: '29.0.0',
      cluster: 'default',
      hostId: number.toString(16).padStart(32, 'f'),
      resources: { cpu: 4096, memoryMib: 16_384, dynamicPorts: { first: 49_153, last: 65_535 } },
      attributes: [
        { name: 'ecs.availability-zone', value: `us-east-1${'abc'[number % 3]}` },
        { name: 'ecs.os-type', value: 'linux' },
        { name: 'ecs.cpu-architecture', value: 'x86_64' },
        ...Array.from({ length: 20 }, (_, index) => ({ name: `com.amazonaws.ecs.capability.${index}` })),
      ],
      agentRunId: String(number),
      engineHealthy: true,
      address: `10.0.${number >> 8}.${number & 255}`,
    }),
  },
})

async function runUpTo({ cell, handlers, context, deps }: BenchCell, count: number): Promise<void> {
  while (cell.tables.tasks.size < count) {
    const answer = await handlers.RunTask?.({ taskDefinition: family, count: tasksPerCall }, context)
    const tasks = (answer?.tasks ?? []).flatMap(
      ({ taskArn = '' }) => cell.tables.tasks.get(taskArn.split('/').at(-1) ?? '') ?? [],
    )
    for (const [hostId, ofHost] of Map.groupBy(tasks, ({ hostId = '' }) => hostId)) {
      const reports = ofHost.map((task) => TaskReport.decode(TaskReport.encode(runningReport(task)).finish()))
      await cell.transact((tx) => applyStatusReport(tx, hostId, reports, deps))
    }
  }
}
