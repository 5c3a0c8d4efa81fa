import { type PortClaim, portsClash } from './demand.ts'

/** ECS's range of dynamic host ports, where the host names no other. */
export const DEFAULT_DYNAMIC_PORTS = { first: 49153, last: 65535 } as const

/** Who has a port: a task's id, or nobody but the host itself, which withholds it. */
export interface PortHolder {
  readonly claim: PortClaim
  readonly taskId: string | undefined
}

/** The ports of one host that are taken, and by whom. Made only for hosts that have any. */
export class HostPorts {
  private readonly holders = new Map<number, PortHolder[]>()
  /** Where the last search for dynamic ports ended: the next begins there, so that a port just freed rests. */
  private cursor = 0

  take(claim: PortClaim, taskId: string | undefined): void {
    const key = keyOf(claim)
    const held = this.holders.get(key)
    if (held === undefined) this.holders.set(key, [{ claim, taskId }])
    else held.push({ claim, taskId })
  }

  /** Frees what `taskId` took by this claim; `undefined` frees the host's own. */
  free(claim: PortClaim, taskId: string | undefined): void {
    const key = keyOf(claim)
    const held = this.holders.get(key)
    if (held === undefined) return
    const at = held.findIndex((holder) => holder.taskId === taskId && holder.claim.hostIp === claim.hostIp)
    if (at >= 0) held.splice(at, 1)
    if (held.length === 0) this.holders.delete(key)
  }

  /** The holder that stands in the way of `claim`, if any. */
  holderAgainst(claim: PortClaim): PortHolder | undefined {
    return this.holders.get(keyOf(claim))?.find((holder) => portsClash(holder.claim, claim))
  }

  /**
   * Up to `count` ports of the range that nobody has, in neither protocol and on no address, and that are not in `except`.
   * Fewer when the range has no more. Takes nothing.
   */
  freePorts(range: { first: number; last: number }, count: number, except: ReadonlySet<number>): number[] {
    const size = range.last - range.first + 1
    const found: number[] = []
    for (let step = 0; step < size && found.length < count; step++) {
      const port = range.first + ((this.cursor + step) % size)
      if (!except.has(port) && !this.isTaken(port)) found.push(port)
    }
    return found
  }

  /** Begins the next search for dynamic ports behind `port`. */
  restPort(range: { first: number; last: number }, port: number): void {
    if (port >= range.first && port <= range.last)
      this.cursor = (port - range.first + 1) % (range.last - range.first + 1)
  }

  private isTaken(port: number): boolean {
    return this.holders.has(port * 2) || this.holders.has(port * 2 + 1)
  }
}

const keyOf = (claim: PortClaim): number => claim.port * 2 + (claim.protocol === 'udp' ? 1 : 0)

/** Whether two of the claims cannot live on one host: then no host can ever meet them. */
export function claimsClashAmongThemselves(claims: readonly PortClaim[]): boolean {
  return claims.some((claim, at) => claims.some((other, otherAt) => otherAt > at && portsClash(claim, other)))
}
