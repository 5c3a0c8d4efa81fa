import { randomBelow, seededRandom } from '@berth/shared/random.ts'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AttributeValues } from './attribute-values.ts'
import { ClaimTable, NO_CLAIM } from './claim-table.ts'
import { NO_DEMAND } from './demand.ts'
import { TaskGroup } from './task-group.ts'
import { propertyRuns } from './testing/property-runs.ts'

interface Task {
  readonly id: string
  readonly slot: number
  readonly group: TaskGroup
}

/** The claims from `first` on, in the order of a list; of one that has no end, more than were ever made. */
function walk(first: number, next: (claim: number) => number): number[] {
  const claims: number[] = []
  for (let claim = first; claim !== NO_CLAIM && claims.length < 1000; claim = next(claim)) claims.push(claim)
  return claims
}

const countBy = <Key>(tasks: readonly Task[], keyOf: (task: Task) => Key) =>
  new Map([...Map.groupBy(tasks, keyOf)].map(([key, its]) => [key, its.length]))

describe('the table of claims', () => {
  it('lists the tasks of each host and of each group, the last to come first, whatever came and went', () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(3, 40, 300), (seed, hosts) => {
        const random = seededRandom(seed)
        const table = new ClaimTable()
        const groups = ['a', 'b', 'c'].map((name) => new TaskGroup(name, table))
        const claims = new Map<number, Task>()
        for (let step = 0; step < 200; step++) {
          const slot = randomBelow(random, hosts)
          const group = groups[randomBelow(random, 3)] as TaskGroup
          const gone = [...claims.keys()][randomBelow(random, 150)]
          if (gone === undefined) {
            const claim = table.add(slot, `t${step}`, NO_DEMAND, group, [step])
            expect(claims.has(claim)).toBe(false)
            claims.set(claim, { id: `t${step}`, slot, group })
          } else {
            table.remove(gone)
            claims.delete(gone)
          }
        }
        for (const [claim, { id, slot, group }] of claims) {
          expect([table.taskIds[claim], table.slotOf(claim), table.groups[claim]]).toEqual([id, slot, group])
          expect([table.demands[claim], table.dynamicPorts[claim]]).toEqual([NO_DEMAND, [Number(id.slice(1))]])
        }
        const byTime = [...claims].toSorted(([, a], [, b]) => Number(b.id.slice(1)) - Number(a.id.slice(1)))
        const listOf = (isIn: (task: Task) => boolean) => byTime.flatMap(([claim, task]) => (isIn(task) ? [claim] : []))
        for (let slot = 0; slot < hosts; slot++)
          expect(walk(table.firstOn(slot), (claim) => table.nextOnHost(claim))).toEqual(listOf((t) => t.slot === slot))
        for (const group of groups)
          expect(walk(group.first, (claim) => table.nextInGroup(claim))).toEqual(listOf((t) => t.group === group))
        expect(table.firstOn(hosts + 5000)).toBe(NO_CLAIM)
      }),
      propertyRuns(100),
    )
  })

  it('gives the number of a claim that ended to the next', () => {
    const table = new ClaimTable()
    const group = new TaskGroup('g', table)
    const [first, second] = ['t1', 't2'].map((id) => table.add(0, id, NO_DEMAND, group, []))
    table.remove(first as number)
    expect(table.add(1, 't3', NO_DEMAND, group, [])).toBe(first)
    expect(table.add(1, 't4', NO_DEMAND, group, [])).not.toBe(second)
  })
})

describe('a group of tasks', () => {
  it('counts them by host and by value of an attribute, since whenever it was first asked', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const random = seededRandom(seed)
        const table = new ClaimTable()
        const group = new TaskGroup('g', table)
        const racks = new AttributeValues('rack')
        const zones = new AttributeValues('zone')
        const valueOn = (slot: number) =>
          slot % 7 === 0 ? [] : [['rack', slot % 7 === 1 ? null : `r${slot}`] as const]
        const claims = new Map<number, Task>()
        let known = 0
        const asksFrom = randomBelow(random, 80)
        for (let step = 0; step < 80; step++) {
          if (step % 4 === 0) {
            racks.setHost(known, new Map(valueOn(known)))
            zones.setHost(known, new Map([['zone', known % 2 === 0 ? 'a' : 'b']]))
            known++
          }
          const slot = randomBelow(random, known)
          const gone = [...claims.keys()][randomBelow(random, 30)]
          if (gone === undefined) {
            claims.set(table.add(slot, `t${step}`, NO_DEMAND, group, []), { id: `t${step}`, slot, group })
          } else {
            table.remove(gone)
            claims.delete(gone)
          }
          const tasks = [...claims.values()]
          expect(group.total).toBe(tasks.length)
          if (step < asksFrom) continue
          expect(new Map(group.countsBySlot())).toEqual(countBy(tasks, (task) => task.slot))
          expect(group.countOn(slot)).toBe(tasks.filter((task) => task.slot === slot).length)
          expect(group.countOn(5000)).toBe(0)
          for (const values of [racks, zones]) {
            const counts = group.countsByValue(values)
            const wanted = countBy(tasks, (task) => values.of(task.slot))
            expect(values.texts.map((_, id) => counts[id] ?? 0)).toEqual(
              values.texts.map((_, id) => wanted.get(id) ?? 0),
            )
          }
        }
      }),
      propertyRuns(100),
    )
  })

  it('counts by value anew after hosts changed theirs', () => {
    const table = new ClaimTable()
    const group = new TaskGroup('g', table)
    const racks = new AttributeValues('rack')
    racks.setHost(0, new Map([['rack', 'r1']]))
    table.add(0, 't', NO_DEMAND, group, [])
    expect([...group.countsByValue(racks)].slice(0, 3)).toEqual([0, 1, 0])
    racks.setHost(0, new Map([['rack', 'r2']]))
    group.forgetValues()
    expect([...group.countsByValue(racks)].slice(0, 3)).toEqual([0, 0, 1])
  })
})

describe('the values of an attribute', () => {
  it('have a number each, of any number of hosts; without it is 0, and without a value is an empty one', () => {
    const racks = new AttributeValues('rack')
    const attributes = [
      [],
      [['rack', 'x']],
      [['rack', null]],
      [['rack', '']],
      [['other', 'x']],
      [['rack', 'x']],
    ] as const
    for (const [slot, its] of attributes.entries()) racks.setHost(slot * 100, new Map<string, string | null>(its))
    const ids = attributes.map((_, slot) => racks.of(slot * 100))
    expect(ids).toEqual([0, 1, 2, 2, 0, 1])
    expect(racks.texts).toEqual([undefined, 'x', ''])
  })
})
