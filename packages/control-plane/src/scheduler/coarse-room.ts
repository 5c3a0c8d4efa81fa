/**
 * The most CPU and the most memory that any of some hosts have left, in one integer: 15 bits for each and one between that catches the
 * borrow, so that both are compared by one subtraction, without a branch. An index asks this of dozens of nodes for each task.
 *
 * Amounts keep their eleven highest bits. They are rounded down, the task's as well as the host's, which keeps their order: a host with
 * enough is never missed, and one that lacks less than a thousandth may be taken for one that has enough until it is looked at.
 */
export type CoarseRoom = number

/** The room of no host at all, in which not even a task that asks for nothing fits. */
export const NO_ROOM: CoarseRoom = 0

/** CPU stands so many bits above memory. */
const ABOVE = 16
/** The bit over each amount, and the amount below it. */
const BORROWS = 0x80008000 | 0
const AMOUNT = 0x7fff
const ONE_OF_EACH = 0x00010001
const MOST = 0x7fffffff

export function coarseRoom(cpu: number, memory: number): CoarseRoom {
  return (coarse(cpu) << ABOVE) | coarse(memory)
}

/** Whether a host with so much may have enough for a task that asks so much. */
export function mayHold(room: CoarseRoom, asked: CoarseRoom): boolean {
  return (((room | BORROWS) - asked) & BORROWS) === BORROWS
}

/** Whether both the CPU and the memory of one are less than those of the other, which is not `NO_ROOM`. */
export function isBelow(one: CoarseRoom, other: CoarseRoom): boolean {
  return mayHold(other - ONE_OF_EACH, one)
}

/** The larger CPU of both, and the larger memory. */
export function mostOf(one: CoarseRoom, other: CoarseRoom): CoarseRoom {
  const notLess = ((((one | BORROWS) - other) & BORROWS) >>> 15) * AMOUNT
  return (one & notLess) | (other & ~notLess)
}

/** An amount from 1 up, in the order of amounts: how many bits were dropped, and behind it those kept but the highest. */
function coarse(amount: number): number {
  if (amount < 2048) return Math.max(0, amount) + 1
  const kept = Math.min(amount, MOST)
  const dropped = 21 - Math.clz32(kept)
  return (dropped << 10) + (kept >> dropped) + 1
}
