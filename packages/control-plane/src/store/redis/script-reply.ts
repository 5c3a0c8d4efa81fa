import type { CommitOutcome, Fence, LeaderAddresses, LeaseOutcome } from '../store.ts'

/** The first element of what every script answers. The scripts' headers name them. */
const replyCode = { done: 0, fenced: 1, outOfSequence: 2 } as const

/** What a script answers, as the client hands it over: numbers are numbers, everything else is text. */
export type ScriptReply = readonly [code: number, ...rest: readonly (string | number)[]]

export const isDone = ([code]: ScriptReply): boolean => code === replyCode.done

const fenceOf = (epoch: unknown, holder: unknown): Fence => ({ epoch: Number(epoch), holder: String(holder) })

export function commitOutcome([code, ...rest]: ScriptReply): CommitOutcome {
  switch (code) {
    case replyCode.done:
      return { kind: 'committed' }
    case replyCode.fenced:
      return { kind: 'fenced', by: rest[1] === '' ? undefined : fenceOf(rest[0], rest[1]) }
    case replyCode.outOfSequence:
      return { kind: 'out-of-sequence', durable: Number(rest[0]) }
    default:
      throw new Error(`commit-batch answered the unknown code ${code}`)
  }
}

export function leaseOutcome([code, epoch, holder, leader, expiresInMs]: ScriptReply): LeaseOutcome {
  switch (code) {
    case replyCode.done:
      return { kind: 'held', fence: fenceOf(epoch, holder) }
    case replyCode.fenced:
      return {
        kind: 'taken',
        by: fenceOf(epoch, holder),
        leader: leaderOf(String(leader)),
        expiresInMs: Math.max(0, Number(expiresInMs)),
      }
    default:
      throw new Error(`a lease script answered the unknown code ${code}`)
  }
}

/** What a holder left of where it is reached. One of a version that knew no API address wrote its agents' address alone. */
function leaderOf(text: string): LeaderAddresses {
  if (!text.startsWith('{')) return { api: '', agents: text }
  const { api, agents } = JSON.parse(text) as LeaderAddresses
  return { api, agents }
}
