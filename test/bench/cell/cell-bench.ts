import { parseArgs } from 'node:util'
import { reportRows } from '../report-rows.ts'
import { durableRows } from './durable-tasks.ts'
import { heapRows } from './heap-of-cell.ts'
import { memoryRows } from './tasks-in-memory.ts'

/**
 * What a task costs in the cell, without HTTP, signatures and agents: first over a store in memory, by CPU; then over a Redis that
 * writes its log before it answers, beside plain writes of the same size to the same Redis.
 */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      short: { type: 'boolean', default: false },
      hosts: { type: 'string', default: '10000' },
      only: { type: 'string' },
      json: { type: 'string' },
    },
  })
  const { short, only } = values
  const hosts = Number(values.hosts)
  const isAsked = (part: string): boolean => only === undefined || only === part
  const rows = [
    ...(isAsked('heap') ? await heapRows(hosts, short) : []),
    ...(isAsked('memory') ? await memoryRows(hosts, short) : []),
    ...(isAsked('durable') ? await durableRows(hosts, short) : []),
  ]
  reportRows({ bench: 'cell', short, json: values.json, rows })
  return 0
}
