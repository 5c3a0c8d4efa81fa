import { type Random, randomUuid } from '@berth/shared/random.ts'
import type { HostIdentity } from './journal-record.ts'
import type { Journal } from './journal.ts'

/**
 * Who this host is. Made and brought to the disk before anybody hears of it: a host that forgot who it is would come back
 * as a second one.
 *
 * @throws Error when the journal cannot be written.
 */
export async function ensureIdentity(journal: Journal, random: Random): Promise<HostIdentity> {
  if (journal.state.identity) return journal.state.identity
  const identity = { hostId: randomUuid(random), containerInstanceArn: '' }
  await journal.append({ kind: 'identity', identity })
  return identity
}
