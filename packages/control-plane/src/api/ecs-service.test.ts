import { describe, expect, it } from 'vitest'
import { ecsService } from './ecs-service.ts'
import { ecsModel } from './model/gen/ecs-model.ts'
import type { EcsHandlers } from './operation.ts'
import { unsupportedOperations } from './unsupported-operations.ts'

const supported = Object.keys(ecsModel.operations).filter((name) => !(name in unsupportedOperations))
const handlers = (names: readonly string[]): EcsHandlers => Object.fromEntries(names.map((name) => [name, () => ({})]))

describe('ecsService', () => {
  it('has all operations of the model', () => {
    expect([...ecsService(handlers(supported)).operations.keys()]).toEqual(Object.keys(ecsModel.operations))
  })

  it('names the operations that nobody accounts for', () => {
    const some = supported.filter((name) => name !== 'RunTask' && name !== 'StopTask')
    expect(() => ecsService(handlers(some))).toThrow('RunTask, StopTask have neither a handler')
  })

  it('names an operation that is both handled and refused, or unknown', () => {
    expect(() => ecsService(handlers([...supported, 'CreateDaemon']))).toThrow('CreateDaemon have a handler and')
    expect(() => ecsService(handlers([...supported, 'FlyTask']))).toThrow('FlyTask are not in the model')
  })
})
