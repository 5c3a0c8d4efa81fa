import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { renderTable, type Row } from './measure.ts'

export interface Report {
  readonly bench: string
  readonly short: boolean
  /** Where the same goes as JSON: a file, `-` for the terminal. */
  readonly json: string | undefined
  readonly rows: readonly Row[]
}

/** Prints what a benchmark measured, for people and, where asked, for programs. */
export function reportRows({ bench, short, json, rows }: Report): void {
  process.stdout.write(`${renderTable(rows)}\n`)
  if (json === undefined) return
  const facts = { bench, short, at: new Date().toISOString(), node: process.version, cores: availableParallelism() }
  const text = `${JSON.stringify({ ...facts, rows }, undefined, 2)}\n`
  if (json === '-') process.stdout.write(text)
  else writeFileSync(json, text)
}
