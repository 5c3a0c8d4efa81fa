import { TaskAssignment } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { describe, expect, test } from 'vitest'
import { AssignmentChain } from './assignment-chain.ts'
import type { OutgoingAssignments } from './host-session.ts'

const task = (taskArn: string, shouldRun = true) => TaskAssignment.fromPartial({ taskArn, shouldRun })

function chainOf(epoch = 7) {
  const sent: OutgoingAssignments[] = []
  const chain = new AssignmentChain({ hostId: 'host', assign: (set) => void sent.push(set), close() {} }, epoch)
  return { chain, sent }
}

const names = (set: OutgoingAssignments | undefined) => set?.put.map(({ taskArn }) => taskArn)

describe('the chain of assignment sets of a host', () => {
  test('sends nothing before the full set, which comes without a link, and then what gathered meanwhile', () => {
    const { chain, sent } = chainOf()
    chain.put(task('early'))
    chain.flush()
    expect(sent).toEqual([])
    chain.sendFull([task('a')])
    expect(sent.map((set) => [set.revision, set.previous, names(set)])).toEqual([
      [{ epoch: 7, number: 1 }, undefined, ['a']],
      [{ epoch: 7, number: 2 }, { epoch: 7, number: 1 }, ['early']],
    ])
  })

  test('links each delta to the set before', () => {
    const { chain, sent } = chainOf()
    chain.sendFull([])
    for (const [index, name] of ['a', 'b'].entries()) {
      chain.acknowledge({ epoch: 7, number: index + 1 })
      chain.put(task(name))
      chain.flush()
    }
    expect(sent.slice(1).map(({ previous, revision }) => [previous?.number, revision.number])).toEqual([
      [1, 2],
      [2, 3],
    ])
  })

  test('keeps only the newest word on a task while the host does not acknowledge', () => {
    const { chain, sent } = chainOf()
    chain.sendFull([])
    for (let i = 0; i < 100; i++) {
      chain.put(task('same', i % 2 === 0))
      chain.flush()
    }
    expect(sent).toHaveLength(2)
    chain.acknowledge({ epoch: 7, number: 2 })
    expect(sent).toHaveLength(3)
    expect(sent.at(-1)?.put).toEqual([task('same', false)])
    chain.acknowledge({ epoch: 7, number: 3 })
    expect(sent).toHaveLength(3)
  })

  test('a removed task is not put any more, and one that is put again is not removed', () => {
    const { chain, sent } = chainOf()
    chain.sendFull([])
    chain.hold()
    chain.put(task('gone'))
    chain.remove('gone')
    chain.remove('back')
    chain.put(task('back'))
    chain.sendFull([])
    expect(sent.at(-1)).toMatchObject({ put: [{ taskArn: 'back' }], removeTaskArns: ['gone'] })
  })

  test('does not take the acknowledgement of another epoch for its own', () => {
    const { chain, sent } = chainOf()
    chain.sendFull([])
    for (let i = 0; i < 20; i++) {
      chain.put(task(`task-${i}`))
      chain.flush()
    }
    chain.acknowledge({ epoch: 6, number: 100 })
    expect(sent).toHaveLength(2)
  })

  test('cuts a long delta into sets that stay small', () => {
    const { chain, sent } = chainOf()
    chain.sendFull([])
    for (let i = 0; i < 40; i++) chain.put(task(`task-${i}`))
    chain.flush()
    for (let number = 1; number <= 4; number++) chain.acknowledge({ epoch: 7, number })
    expect(sent.slice(1).map(({ put }) => put.length)).toEqual([16, 16, 8])
  })
})
