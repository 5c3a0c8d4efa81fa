import { type Random, randomBelow } from '@berth/shared/random.ts'
import { CliError } from '../cli-error.ts'
import { hostZone } from '../up/host-address.ts'
import type { LabHosts, TargetHosts } from './scenario.ts'
import type { FakeHostPlan } from './worker-messages.ts'

/** How a host of the lab is. */
export type HostState = 'up' | 'killed' | 'partitioned'

/** Which hosts there are, and how each of them is. Pure: the workers do what it says. */
export class LabHostList {
  readonly #random: Random
  readonly #region: string
  readonly #hosts: { readonly plan: FakeHostPlan; state: HostState }[] = []

  constructor(region: string, random: Random) {
    this.#region = region
    this.#random = random
  }

  get count(): number {
    return this.#hosts.length
  }

  get up(): number {
    return this.#hosts.filter(({ state }) => state === 'up').length
  }

  /** Adds hosts to zones in turn. */
  add({ count, cpu, memory, zones }: LabHosts): readonly FakeHostPlan[] {
    const letters = Array.from({ length: zones }, (_, index) => String.fromCodePoint(97 + index))
    return Array.from({ length: count }, () => {
      const number = this.#hosts.length + 1
      const plan = { number, zone: hostZone(this.#region, letters, number), cpu, memoryMib: memory }
      this.#hosts.push({ plan, state: 'up' })
      return plan
    })
  }

  /** @throws CliError when there are fewer such hosts that are up. */
  take(target: TargetHosts, state: Exclude<HostState, 'up'>): readonly number[] {
    return this.#turn(target, (from) => from === 'up', state)
  }

  /** Brings back hosts that are not up: all of the target, or as many as it says. */
  bringBack(target: TargetHosts): readonly number[] {
    return this.#turn(target, (from) => from !== 'up', 'up')
  }

  #turn(target: TargetHosts, fits: (state: HostState) => boolean, to: HostState): readonly number[] {
    const zone = this.zoneOf(target)
    const candidates = this.#hosts.filter(
      ({ plan, state }) => fits(state) && (zone === undefined || plan.zone === zone),
    )
    const chosen = draw(candidates, target.hosts, this.#random)
    for (const host of chosen) host.state = to
    return chosen.map(({ plan }) => plan.number)
  }

  zoneOf({ zone }: TargetHosts): string | undefined {
    return zone === undefined ? undefined : hostZone(this.#region, [zone], 1)
  }
}

/** So many of them, each equally likely; all for `undefined`. @throws CliError when there are fewer, or none. */
export function draw<T>(candidates: readonly T[], count: number | undefined, random: Random): T[] {
  if (candidates.length < (count ?? 1))
    throw new CliError(`A step wants ${count ?? 'some'} hosts, and ${candidates.length} are there to be chosen from.`)
  const left = [...candidates]
  if (count === undefined) return left
  return Array.from({ length: count }, () => left.splice(randomBelow(random, left.length), 1)[0] as T)
}
