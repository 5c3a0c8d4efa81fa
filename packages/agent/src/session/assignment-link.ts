import type { Assignments, Revision } from '@berth/shared/gen/berth/agent/v1/agent.ts'

/** What is done with a set of assignments. */
export type LinkVerdict =
  | { readonly kind: 'apply'; readonly revision: Revision }
  /** It was applied before in this session: it came twice. */
  | { readonly kind: 'known'; readonly revision: Revision }
  | { readonly kind: 'reject'; readonly reason: string }

/**
 * Whether a set continues the chain. `held` is what is durable on this host; `last` is what was last applied in this
 * session, since each session numbers its chain anew, beginning with a full set.
 */
export function judgeAssignments(set: Assignments, held: Revision, last: Revision | undefined): LinkVerdict {
  const { revision, previous } = set
  if (!revision) return reject('The set has no revision.')
  if (revision.epoch < held.epoch)
    return reject(`The set is of epoch ${revision.epoch}, and this host has followed epoch ${held.epoch}.`)
  if (last && revision.epoch === last.epoch && revision.number <= last.number) return { kind: 'known', revision }
  if (set.full) return { kind: 'apply', revision }
  if (previous && isSame(previous, held)) return { kind: 'apply', revision }
  return reject(`The set builds on ${show(previous)}, and this host holds ${show(held)}.`)
}

const reject = (reason: string): LinkVerdict => ({ kind: 'reject', reason })

const isSame = (a: Revision, b: Revision): boolean => a.epoch === b.epoch && a.number === b.number

const show = (revision: Revision | undefined): string =>
  revision ? `revision ${revision.epoch}.${revision.number}` : 'nothing'
