import type { PortClaim } from './demand.ts'

/** What removes hosts from those a task could go to, in the order in which they are asked. */
export const RULES = [
  'status',
  'agent',
  'eligible',
  'attribute',
  'memberOf',
  'distinctInstance',
  'cpu',
  'memory',
  'ports',
  'gpu',
  'eni',
  'custom',
] as const

export type Rule = (typeof RULES)[number]

/** One thing that a host lacks for a task. */
export type Lack =
  | { readonly rule: 'status'; readonly status: string }
  | { readonly rule: 'agent' }
  | { readonly rule: 'eligible' }
  | { readonly rule: 'attribute'; readonly name: string; readonly wanted?: string; readonly has?: string | null }
  /** `expression` is the part that failed; `has` what the host has for its subject, where it looks at a single one. */
  | { readonly rule: 'memberOf'; readonly expression: string; readonly has?: string }
  | { readonly rule: 'distinctInstance'; readonly group: string; readonly tasks: number }
  | { readonly rule: 'cpu' | 'memory' | 'gpu' | 'eni'; readonly needs: number; readonly has: number }
  | { readonly rule: 'custom'; readonly name: string; readonly needs: number; readonly has: number }
  /** `taskId` is absent where the host itself withholds the port. */
  | { readonly rule: 'ports'; readonly port: PortClaim; readonly taskId?: string }
  | { readonly rule: 'ports'; readonly dynamic: { readonly needs: number; readonly has: number } }

/** A host that cannot take the task, and everything it lacks for it, in the order of `RULES`. */
export interface HostVerdict {
  readonly hostId: string
  readonly ec2InstanceId: string
  readonly lacks: readonly Lack[]
}

/** How a step of the strategy saw the winner, against the others that could have had the task. */
export interface StepValue {
  /** The step as users write it: `spread(attribute:rack)`. */
  readonly step: string
  /** What the step compares: tasks of the group for a spread, what is left of the host for a binpack; lower wins. */
  readonly value: number
  /** For a spread: the value of the attribute that the winner's host has. */
  readonly among?: string
}

/** Why a host was taken: what each step of the strategy saw in it. */
export interface Win {
  readonly hostId: string
  readonly ec2InstanceId: string
  readonly steps: readonly StepValue[]
}

/** All that can be said about one decision; plain data, kept with the task's history. */
export interface Explanation {
  /** Hosts of the pool. */
  readonly considered: number
  /** Hosts that could have taken the (next) task. */
  readonly suitable: number
  /** How many hosts each rule removed, each host counted for the first rule that it failed. Rules without any are absent. */
  readonly removed: Partial<Record<Rule, number>>
  /** Up to five unsuitable hosts, those that lack the least first. */
  readonly closest: readonly HostVerdict[]
  /** Why the first placed task went where it went. */
  readonly won?: Win
}
