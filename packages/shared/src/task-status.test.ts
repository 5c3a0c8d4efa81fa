import { describe, expect, test } from 'vitest'
import { isForward, mayMove, statusOwners, taskStatusOfRank, taskStatusRank, type TaskStatus } from './task-status.ts'

const statuses = Object.keys(taskStatusRank) as TaskStatus[]

describe('task status', () => {
  test('moves only forward: of each pair of statuses exactly one order is allowed', () => {
    for (const a of statuses) {
      expect(isForward(a, a)).toBe(false)
      for (const b of statuses) if (a !== b) expect(isForward(a, b)).toBe(!isForward(b, a))
    }
  })

  test('every step has an owner, and only STOPPED has two', () => {
    for (const status of statuses) expect(statusOwners[status].length).toBe(status === 'STOPPED' ? 2 : 1)
  })

  test('an agent never takes a task back to where the control plane had it', () => {
    expect(mayMove('agent', 'PROVISIONING', 'PENDING')).toBe(false)
    expect(mayMove('agent', 'PENDING', 'RUNNING')).toBe(true)
    expect(mayMove('agent', 'STOPPED', 'RUNNING')).toBe(false)
    expect(mayMove('control-plane', 'PENDING', 'RUNNING')).toBe(false)
    expect(mayMove('control-plane', 'RUNNING', 'STOPPED')).toBe(true)
  })

  test('ranks travel both ways and unknown ranks are noticed', () => {
    for (const status of statuses) expect(taskStatusOfRank(taskStatusRank[status])).toBe(status)
    expect(taskStatusOfRank(1)).toBeUndefined()
  })
})
