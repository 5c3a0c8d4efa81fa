import { describe, expect, it } from 'vitest'
import { compileEncoder } from './compile-encoder.ts'
import { ecsModel } from './gen/ecs-model.ts'

const encoderOf = compileEncoder(ecsModel)
const encode = (structure: string, value: unknown) => encoderOf(structure)(value)

describe('encoding an answer', () => {
  it('writes timestamps as seconds with a fraction', () => {
    expect(encode('Task', { createdAt: new Date(1_700_000_000_123) })).toEqual({ createdAt: 1_700_000_000.123 })
  })

  it('leaves out what is undefined, and keeps what is empty', () => {
    const cluster = { clusterName: 'default', tags: [], status: undefined, runningTasksCount: 0 }
    const written = JSON.stringify(encode('Cluster', cluster))
    expect(JSON.parse(written)).toEqual({ clusterName: 'default', tags: [], runningTasksCount: 0 })
  })

  it('lets nothing out that the model does not have', () => {
    expect(encode('Cluster', { clusterName: 'a', internalEpoch: 7 })).toEqual({ clusterName: 'a' })
  })

  it.each([
    ['Task', { createdAt: 'yesterday' }],
    ['Task', { createdAt: new Date(Number.NaN) }],
    ['Task', { version: '1' }],
    ['Cluster', { runningTasksCount: 0.5 }],
    ['Cluster', { tags: {} }],
    ['Cluster', { clusterName: 7 }],
    ['Cluster', undefined],
  ])('fails on a wrong type: %s %j', (structure, value) => {
    expect(() => encode(structure, value)).toThrow(/an answer has .* where .* belongs/)
  })
})
