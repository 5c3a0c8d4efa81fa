import type { ArnScope } from '@berth/shared/arn.ts'
import { type Random, seededRandom } from '@berth/shared/random.ts'
import type { z } from 'zod'
import type { Transaction } from '../../cell/cell.ts'
import type { ReadonlyTables } from '../../cell/tables.ts'
import type { WaitingTasks } from '../../cell/waiting-tasks.ts'
import type { ControlPlaneDeps } from '../../control-plane-deps.ts'
import type { HostFleet } from '../../scheduler/host-fleet.ts'
import { invalidParameter } from '../errors.ts'
import type { ApiOperation } from '../service.ts'

/** What Berth's own operations answer from: the cell as it is at one moment. */
export interface CellView {
  readonly tables: ReadonlyTables
  /** The cell's own: to be left as it is. Changes are for a fork. */
  readonly fleet: HostFleet
  readonly waiting: WaitingTasks
  readonly scope: ArnScope
  /** In ms since the epoch. */
  readonly now: number
  /** The same at each call, so that the same question gets the same answer. */
  readonly random: Random
}

/** An operation that only looks: its input is checked by `schema`, its answer is JSON as it is. */
export function readOperation<Input>(
  deps: ControlPlaneDeps,
  schema: z.ZodType<Input>,
  answer: (view: CellView, input: Input) => unknown,
): ApiOperation {
  return {
    decode: (body) => decodeInput(schema, body),
    handle: (input) =>
      deps.cell().read((tables, fleet, waiting) => {
        const view = {
          tables,
          fleet: fleet.hosts,
          waiting,
          scope: deps.scope,
          now: deps.clock.now(),
          random: seededRandom(1),
        }
        return answer(view, input as Input)
      }),
    encode: (output) => output,
  }
}

/** What Berth's own operations that change something are given. */
export interface CellChange {
  readonly tx: Transaction
  readonly scope: ArnScope
  /** In ms since the epoch. */
  readonly now: number
  /** The ARN of who asks. */
  readonly principalArn: string
}

/** An operation that changes the cell: answered when the change is durable. */
export function writeOperation<Input>(
  deps: ControlPlaneDeps,
  schema: z.ZodType<Input>,
  change: (change: CellChange, input: Input) => unknown,
): ApiOperation {
  return {
    decode: (body) => decodeInput(schema, body),
    handle: (input, { principalArn }) =>
      deps
        .cell()
        .transact((tx) => change({ tx, scope: deps.scope, now: deps.clock.now(), principalArn }, input as Input)),
    encode: (output) => output,
  }
}

/** @throws InvalidParameterException that names the first member which is wrong. */
export function decodeInput<Input>(schema: z.ZodType<Input>, body: unknown): Input {
  const { success, data, error } = schema.safeParse(body)
  if (success) return data
  const [issue] = error.issues
  const path = issue?.path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('') ?? ''
  throw invalidParameter(`${path === '' ? '' : `${path.slice(1)}: `}${issue?.message ?? 'Invalid input'}`)
}

/** A time as AWS's JSON protocols have it: seconds since the epoch, to the millisecond. */
export const timestamp = (ms: number): number => ms / 1000
