import { describe, expect, test } from 'vitest'
import { taskRecord } from '../api/ecs/testing/records.ts'
import type { TaskContainerRecord } from './records.ts'
import { storedTasks } from './stored-task.ts'

const container: TaskContainerRecord = {
  id: 'ec096408-6dc9-4e38-ab20-890ef3ed2ae1',
  name: 'app',
  image: 'web:1',
  essential: true,
  lastStatus: 'RUNNING',
  healthStatus: 'UNKNOWN',
  hasHealthCheck: false,
  portGrants: [{ containerPort: 80, hostPort: 8080, protocol: 'tcp' }],
  networkBindings: [],
  cpu: 0,
  gpuIds: [],
  restartCount: 0,
}

describe('a task of the store', () => {
  test('is read as it was written', () => {
    const task = taskRecord('a', { containers: [container], hostId: 'h' })
    expect(storedTasks()(JSON.stringify(task))).toEqual(task)
  })

  test('shares its claim with those that have the same, unless it was given ports of its own', () => {
    const read = storedTasks()
    const [first, second, third] = [[], [], [49_153]].map((dynamicPorts, index) => {
      const { claim } = taskRecord('')
      return read(JSON.stringify(taskRecord(String(index), { claim: { ...claim, dynamicPorts } })))
    })
    expect(second?.claim).toBe(first?.claim)
    expect(third?.claim).not.toBe(first?.claim)
  })

  test('that was stored with whole ARNs keeps the ids of its containers', () => {
    const task = taskRecord('a', { containers: [container] })
    const { id, ...rest } = container
    const arn = `arn:aws:ecs:us-east-1:123456789012:container/default/a/${id}`
    const old = { ...task, arn: 'arn:aws:ecs:us-east-1:123456789012:task/default/a', containers: [{ ...rest, arn }] }
    expect(storedTasks()(JSON.stringify(old))).toEqual(task)
  })
})
