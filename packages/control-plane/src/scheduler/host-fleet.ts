import { AttributeValues } from './attribute-values.ts'
import { ClaimTable, NO_CLAIM } from './claim-table.ts'
import type { Demand, PortClaim } from './demand.ts'
import { type ClassVerdicts, HostClasses } from './host-classes.ts'
import type { HostDescription, HostState } from './host-description.ts'
import { DEFAULT_DYNAMIC_PORTS, HostPorts } from './host-ports.ts'
import { SlotSet, withPlaceFor } from './slot-set.ts'
import { TaskGroup } from './task-group.ts'

/** What a task holds on its host, until it is released. */
export interface TaskClaim {
  readonly hostId: string
  readonly demand: Demand
  readonly group: string
  readonly dynamicPorts: readonly number[]
}

/** What is left of a host for tasks; negative where the host shrank below what it had promised. */
export interface HostRoom {
  readonly cpu: number
  readonly memory: number
  readonly gpus: number
  readonly enis: number
  /** Of the custom resources that the host has, or its tasks take, by name. */
  readonly custom: ReadonlyMap<string, number>
  readonly runningTasks: number
}

/** Something that orders the hosts of a pool by what is left of them, and must be told when that changed. */
export interface FleetIndex {
  touch(slot: number): void
}

/** The hosts of one pool, and the indexes over them that requests have so far had use for. */
export interface Pool {
  readonly slots: SlotSet
  readonly indexes: Map<string, FleetIndex>
  /** The same indexes, to be told of each change. */
  readonly told: FleetIndex[]
}

const NO_POOL: Pool = { slots: new SlotSet(), indexes: new Map(), told: [] }
/** The group of what is no task. */
const NOBODY = ''
const NO_PORTS: ReadonlySet<number> = new Set()

/**
 * All hosts and what their tasks hold, as typed arrays by slot (a host's number while it is in the fleet).
 *
 * The fleet keeps accounts and judges nothing: `claim` takes what it is told, so that it can be filled from records of
 * tasks that run whatever they add up to. `place` is what never decides for more than there is.
 */
export class HostFleet {
  readonly hosts: (HostDescription | undefined)[] = []
  cpuTotal = new Int32Array(16)
  memoryTotal = new Int32Array(16)
  gpusTotal = new Int32Array(16)
  cpuFree = new Int32Array(16)
  memoryFree = new Int32Array(16)
  gpusFree = new Int32Array(16)
  enisFree = new Int32Array(16)
  runningTasks = new Int32Array(16)
  /** The class of each host, see `HostClasses`. */
  classOf = new Int32Array(16)
  /** 1 where new tasks may go: the host is ACTIVE and its agent connected. */
  placeable = new Int32Array(16)
  readonly ports: (HostPorts | undefined)[] = []
  readonly customFree: (Map<string, number> | undefined)[] = []

  private readonly states: HostState[] = []
  private readonly classes = new HostClasses()
  private readonly slots = new Map<string, number>()
  private readonly unusedSlots: number[] = []
  private readonly pools = new Map<string, Pool>()
  private readonly attributes = new Map<string, AttributeValues>()
  private readonly claims = new ClaimTable()
  private readonly claimOfTask = new Map<string, number>()
  /** Room that is kept free for something, by its key, as the number of a claim. */
  private readonly reservations = new Map<string, number>()
  private readonly poolsOf: (readonly Pool[])[] = []
  /** Each list of pools that hosts are in, once: the same list for all of them is in the processor's cache. */
  private readonly poolLists = new Map<string, readonly Pool[]>()
  private readonly groups = new Map<string, TaskGroup>()
  private groupsBeforeSweep = 1000

  /** How many hosts there are. */
  get size(): number {
    return this.slots.size
  }

  /** How many tasks hold something. */
  get taskCount(): number {
    return this.claimOfTask.size
  }

  /** Adds a host, or takes a new description and state of a known one, whose tasks keep what they hold. */
  putHost(host: HostDescription, state: HostState): void {
    const known = this.slots.get(host.id)
    const slot = known ?? this.newSlot(host.id)
    const before = this.hosts[slot]
    if (before !== undefined) this.forgetDescription(slot, before)
    this.hosts[slot] = host
    this.cpuTotal[slot] = host.cpu
    this.memoryTotal[slot] = host.memory
    this.gpusTotal[slot] = host.gpus
    this.add(this.cpuFree, slot, host.cpu)
    this.add(this.memoryFree, slot, host.memory)
    this.add(this.gpusFree, slot, host.gpus)
    this.add(this.enisFree, slot, host.enis)
    for (const [name, amount] of host.custom ?? []) this.addCustom(slot, name, amount)
    for (const claim of host.reservedPorts) this.portsOf(slot).take(claim, undefined)
    this.classOf[slot] = this.classes.join(host)
    for (const values of this.attributes.values()) values.setHost(slot, host.attributes)
    if (before !== undefined) for (const group of this.groups.values()) group.forgetValues()
    this.applyState(slot, state)
    const pools = this.poolsNamed(host.pools)
    this.poolsOf[slot] = pools
    for (const pool of pools) pool.slots.add(slot)
    this.touch(slot)
  }

  /** Changes what new tasks depend on. Unknown hosts are ignored. */
  setHostState(hostId: string, state: HostState): void {
    const slot = this.slots.get(hostId)
    if (slot === undefined) return
    this.applyState(slot, state)
    this.touch(slot)
  }

  /** Takes a host out and forgets the claims of its tasks. Unknown hosts are ignored. */
  removeHost(hostId: string): void {
    const slot = this.slots.get(hostId)
    if (slot === undefined) return
    for (const taskId of this.tasksOn(hostId)) this.release(taskId)
    const reserved = Array.from(this.claimsOn(slot), (claim) => this.claims.taskIds[claim] as string)
    for (const key of reserved) this.unreserve(key)
    const host = this.hosts[slot] as HostDescription
    this.forgetDescription(slot, host)
    this.hosts[slot] = undefined
    this.ports[slot] = undefined
    this.customFree[slot] = undefined
    this.slots.delete(hostId)
    this.unusedSlots.push(slot)
  }

  /**
   * Gives a task what it demands of a host, and counts it in its group.
   *
   * @throws RangeError when the host is not in the fleet, or the task already holds something.
   */
  claim(
    hostId: string,
    taskId: string,
    demand: Demand,
    { group, dynamicPorts }: { readonly group: string; readonly dynamicPorts: readonly number[] },
  ): void {
    const slot = this.slots.get(hostId)
    if (slot === undefined) throw new RangeError(`host ${hostId} is not in the fleet`)
    if (this.claimOfTask.has(taskId)) throw new RangeError(`task ${taskId} already holds resources`)
    this.claimOfTask.set(taskId, this.hold(slot, taskId, demand, group, dynamicPorts))
  }

  /** Gives back all that a task holds. Returns what that was, or nothing for a task unknown here. */
  release(taskId: string): TaskClaim | undefined {
    const claim = this.claimOfTask.get(taskId)
    if (claim === undefined) return undefined
    const held = this.describeClaim(claim)
    this.claimOfTask.delete(taskId)
    this.letGo(claim)
    return held
  }

  /**
   * Claims without a task's id being known to the fleet, as long as a decision is being made: `release` and `claimOf` do not
   * find it, only `letGo` ends it. Returns the claim's number.
   */
  hold(slot: number, taskId: string, demand: Demand, group: string, dynamicPorts: readonly number[]): number {
    const claim = this.claims.add(slot, taskId, demand, this.groupNamed(group), dynamicPorts)
    this.account(slot, demand, 1)
    for (const port of demand.ports) this.portsOf(slot).take(port, taskId)
    for (const port of dynamicPorts) this.takeDynamic(slot, port, taskId)
    return claim
  }

  /** Ends a claim by its number. */
  letGo(claim: number): void {
    const { claims } = this
    const slot = claims.slotOf(claim)
    const demand = claims.demands[claim] as Demand
    this.claims.remove(claim)
    this.account(slot, demand, -1)
    const ports = this.ports[slot]
    if (ports === undefined) return
    const taskId = claims.taskIds[claim]
    for (const port of demand.ports) ports.free(port, taskId)
    for (const port of claims.dynamicPorts[claim] as readonly number[])
      for (const part of dynamicClaims(port)) ports.free(part, taskId)
  }

  /**
   * Keeps room of a host from being given to anybody, until `unreserve`: placement finds so much less there, what is left of the host for
   * those who look does not change. One key keeps room once; an unknown host keeps none, and one that leaves forgets what it kept.
   */
  reserve(key: string, hostId: string, demand: Demand): void {
    const slot = this.slots.get(hostId)
    if (slot === undefined || this.reservations.has(key)) return
    this.reservations.set(key, this.hold(slot, key, demand, NOBODY, []))
    this.add(this.runningTasks, slot, -1)
  }

  /** Ends a reservation, if there is one of that key. */
  unreserve(key: string): void {
    const claim = this.reservations.get(key)
    if (claim === undefined) return
    this.reservations.delete(key)
    const slot = this.claims.slotOf(claim)
    this.add(this.runningTasks, slot, 1)
    this.letGo(claim)
  }

  /** Runs `look` as if nothing were reserved on a host: for those whom its room is kept for. */
  withoutReservations<T>(hostId: string, look: () => T): T {
    const slot = this.slots.get(hostId)
    if (slot === undefined || this.reservations.size === 0) return look()
    const lifted = [...this.claimsOn(slot)]
      .map((claim) => [this.claims.taskIds[claim] as string, this.claims.demands[claim] as Demand] as const)
      .filter(([key]) => this.reservations.has(key))
    for (const [key] of lifted) this.unreserve(key)
    try {
      return look()
    } finally {
      for (const [key, demand] of lifted) this.reserve(key, hostId, demand)
    }
  }

  /** What a task holds, if anything. */
  claimOf(taskId: string): TaskClaim | undefined {
    const claim = this.claimOfTask.get(taskId)
    return claim === undefined ? undefined : this.describeClaim(claim)
  }

  /** What a claim holds, by its number. */
  describeClaim(claim: number): TaskClaim {
    const { claims } = this
    return {
      hostId: this.hostAt(claims.slotOf(claim)).id,
      demand: claims.demands[claim] as Demand,
      group: (claims.groups[claim] as TaskGroup).name,
      dynamicPorts: claims.dynamicPorts[claim] as readonly number[],
    }
  }

  /** The host of a claim, by its number. */
  slotOfClaim(claim: number): number {
    return this.claims.slotOf(claim)
  }

  /** The ids of the tasks that hold something of the host. */
  tasksOn(hostId: string): string[] {
    const slot = this.slots.get(hostId)
    if (slot === undefined) return []
    const ids = Array.from(this.claimsOn(slot), (claim) => this.claims.taskIds[claim] as string)
    return this.reservations.size === 0 ? ids : ids.filter((id) => !this.reservations.has(id))
  }

  /** What is left of the host, if it is in the fleet. */
  roomOn(hostId: string): HostRoom | undefined {
    const slot = this.slots.get(hostId)
    if (slot === undefined) return undefined
    const reserved = this.reservedOn(slot)
    return {
      cpu: (this.cpuFree[slot] as number) + reserved.cpu,
      memory: (this.memoryFree[slot] as number) + reserved.memory,
      gpus: (this.gpusFree[slot] as number) + reserved.gpus,
      enis: (this.enisFree[slot] as number) + reserved.enis,
      custom: reserved.custom,
      runningTasks: this.runningTasks[slot] as number,
    }
  }

  /** The description of a host in the fleet. */
  hostNamed(hostId: string): HostDescription | undefined {
    return this.hosts[this.slots.get(hostId) ?? -1]
  }

  slotOf(hostId: string): number | undefined {
    return this.slots.get(hostId)
  }

  hostAt(slot: number): HostDescription {
    return this.hosts[slot] as HostDescription
  }

  stateAt(slot: number): HostState {
    return this.states[slot] as HostState
  }

  /** The pool of that name; an empty one when no host is in it. */
  pool(name: string): Pool {
    return this.pools.get(name) ?? NO_POOL
  }

  /** The groups of the tasks on a host, each as often as it has tasks there. */
  *groupsOn(slot: number): Iterable<string> {
    for (const claim of this.claimsOn(slot)) yield (this.claims.groups[claim] as TaskGroup).name
  }

  /** How many tasks of `group` are on a host. */
  groupCount(group: string, slot: number): number {
    return this.groups.get(group)?.countOn(slot) ?? 0
  }

  /** The tasks of a group, if it has any. */
  group(name: string): TaskGroup | undefined {
    return this.groups.get(name)
  }

  /** Who has which value of an attribute. */
  attributeValues(name: string): AttributeValues {
    let values = this.attributes.get(name)
    if (values === undefined) {
      values = new AttributeValues(name)
      for (const slot of this.slots.values()) values.setHost(slot, this.hostAt(slot).attributes)
      this.attributes.set(name, values)
    }
    return values
  }

  /** Verdicts by host class, see `HostClasses`. */
  classVerdicts(name: string, predicate: (example: HostDescription) => boolean): ClassVerdicts {
    return this.classes.verdictsOf(name, predicate)
  }

  /** Up to `count` free dynamic ports of a host, not among `except`; fewer when it has no more. Takes nothing. */
  freeDynamicPorts(slot: number, count: number, except: ReadonlySet<number> = NO_PORTS): number[] {
    if (count === 0) return []
    return this.portsOf(slot).freePorts(this.hostAt(slot).dynamicPortRange ?? DEFAULT_DYNAMIC_PORTS, count, except)
  }

  /** A fleet of its own with the same hosts and claims, or some of them, for what-if. Costs time in proportion to hosts and tasks. */
  fork(keeps: (taskId: string) => boolean = () => true): HostFleet {
    const fork = new HostFleet()
    for (const slot of this.slots.values()) fork.putHost(this.hostAt(slot), this.stateAt(slot))
    for (const [taskId, claim] of this.claimOfTask) {
      if (!keeps(taskId)) continue
      const held = this.describeClaim(claim)
      fork.claim(held.hostId, taskId, held.demand, held)
    }
    for (const [key, claim] of this.reservations) {
      const { hostId, demand } = this.describeClaim(claim)
      fork.reserve(key, hostId, demand)
    }
    return fork
  }

  /** What is reserved on the host, and of custom resources what is left without that. */
  private reservedOn(slot: number) {
    const sum = { cpu: 0, memory: 0, gpus: 0, enis: 0, custom: new Map(this.customFree[slot]) }
    if (this.reservations.size === 0) return sum
    for (const claim of this.claimsOn(slot)) {
      if (!this.reservations.has(this.claims.taskIds[claim] as string)) continue
      const { cpu, memory, gpus, enis, custom } = this.claims.demands[claim] as Demand
      sum.cpu += cpu
      sum.memory += memory
      sum.gpus += gpus
      sum.enis += enis
      for (const [name, amount] of custom ?? []) sum.custom.set(name, (sum.custom.get(name) ?? 0) + amount)
    }
    return sum
  }

  private newSlot(hostId: string): number {
    const slot = this.unusedSlots.pop() ?? this.hosts.length
    this.makePlaceFor(slot)
    this.slots.set(hostId, slot)
    return slot
  }

  private makePlaceFor(slot: number): void {
    this.cpuTotal = withPlaceFor(slot, this.cpuTotal, 0)
    this.memoryTotal = withPlaceFor(slot, this.memoryTotal, 0)
    this.gpusTotal = withPlaceFor(slot, this.gpusTotal, 0)
    this.cpuFree = withPlaceFor(slot, this.cpuFree, 0)
    this.memoryFree = withPlaceFor(slot, this.memoryFree, 0)
    this.gpusFree = withPlaceFor(slot, this.gpusFree, 0)
    this.enisFree = withPlaceFor(slot, this.enisFree, 0)
    this.runningTasks = withPlaceFor(slot, this.runningTasks, 0)
    this.classOf = withPlaceFor(slot, this.classOf, 0)
    this.placeable = withPlaceFor(slot, this.placeable, 0)
  }

  private applyState(slot: number, state: HostState): void {
    this.states[slot] = state
    this.placeable[slot] = state.agentConnected && state.status === 'ACTIVE' ? 1 : 0
  }

  /** Takes back all that `putHost` added for this description. */
  private forgetDescription(slot: number, host: HostDescription): void {
    this.add(this.cpuFree, slot, -host.cpu)
    this.add(this.memoryFree, slot, -host.memory)
    this.add(this.gpusFree, slot, -host.gpus)
    this.add(this.enisFree, slot, -host.enis)
    for (const [name, amount] of host.custom ?? []) this.addCustom(slot, name, -amount)
    for (const claim of host.reservedPorts) this.portsOf(slot).free(claim, undefined)
    this.classes.leave(this.classOf[slot] as number)
    for (const pool of this.poolsOf[slot] as readonly Pool[]) pool.slots.delete(slot)
    this.touch(slot)
  }

  private groupNamed(name: string): TaskGroup {
    let group = this.groups.get(name)
    if (group === undefined) {
      if (this.groups.size >= this.groupsBeforeSweep) this.sweepGroups()
      group = new TaskGroup(name, this.claims)
      this.groups.set(name, group)
    }
    return group
  }

  /** Empty groups are kept a while: a family that runs one short task after another would else come and go each time. */
  private sweepGroups(): void {
    for (const [name, group] of this.groups) if (group.total === 0) this.groups.delete(name)
    this.groupsBeforeSweep = this.groups.size * 2 + 1000
  }

  private *claimsOn(slot: number): Iterable<number> {
    for (let claim = this.claims.firstOn(slot); claim !== NO_CLAIM; claim = this.claims.nextOnHost(claim)) yield claim
  }

  private account(slot: number, demand: Demand, sign: 1 | -1): void {
    this.add(this.cpuFree, slot, -sign * demand.cpu)
    this.add(this.memoryFree, slot, -sign * demand.memory)
    if (demand.gpus !== 0) this.add(this.gpusFree, slot, -sign * demand.gpus)
    if (demand.enis !== 0) this.add(this.enisFree, slot, -sign * demand.enis)
    this.add(this.runningTasks, slot, sign)
    if (demand.custom !== undefined) {
      for (const [name, amount] of demand.custom) this.addCustom(slot, name, -sign * amount)
    }
    this.touch(slot)
  }

  private takeDynamic(slot: number, port: number, taskId: string): void {
    const ports = this.portsOf(slot)
    for (const claim of dynamicClaims(port)) ports.take(claim, taskId)
    ports.restPort(this.hostAt(slot).dynamicPortRange ?? DEFAULT_DYNAMIC_PORTS, port)
  }

  private touch(slot: number): void {
    const pools = this.poolsOf[slot] as readonly Pool[]
    for (let at = 0; at < pools.length; at++) {
      const { told } = pools[at] as Pool
      for (let index = 0; index < told.length; index++) (told[index] as FleetIndex).touch(slot)
    }
  }

  private poolsNamed(names: readonly string[]): readonly Pool[] {
    const key = JSON.stringify(names)
    let pools = this.poolLists.get(key)
    if (pools === undefined) {
      pools = names.map((name) => this.poolNamed(name))
      this.poolLists.set(key, pools)
    }
    return pools
  }

  private poolNamed(name: string): Pool {
    let pool = this.pools.get(name)
    if (pool === undefined) {
      pool = { slots: new SlotSet(), indexes: new Map(), told: [] }
      this.pools.set(name, pool)
    }
    return pool
  }

  private portsOf(slot: number): HostPorts {
    return (this.ports[slot] ??= new HostPorts())
  }

  private add(array: Int32Array, slot: number, change: number): void {
    array[slot] = (array[slot] as number) + change
  }

  private addCustom(slot: number, name: string, change: number): void {
    const free = (this.customFree[slot] ??= new Map<string, number>())
    free.set(name, (free.get(name) ?? 0) + change)
  }
}

/** A dynamic port is held in both protocols and on every address: which of them the container uses is not known here. */
const dynamicClaims = (port: number): readonly PortClaim[] => [
  { port, protocol: 'tcp' },
  { port, protocol: 'udp' },
]
