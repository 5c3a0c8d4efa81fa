import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ServiceDeploymentRecord } from '../cell/records.ts'
import { lifecycleAfter, openPause } from './deployment-lifecycle.ts'

const stages = ['RECONCILE_SERVICE', 'PRE_SCALE_UP', 'SCALE_UP', 'POST_SCALE_UP', 'BAKE_TIME', 'CLEAN_UP']

const record = (more: Partial<ServiceDeploymentRecord> = {}): ServiceDeploymentRecord => ({
  id: 'd',
  service: 'default/web',
  targetRevision: '2',
  sourceRevisions: ['1'],
  status: 'IN_PROGRESS',
  deploymentConfiguration: {},
  circuitBreaker: { status: 'DISABLED', failureCount: 0, threshold: 0 },
  createdAt: 0,
  updatedAt: 0,
  ...more,
})

describe('the stages of a service deployment', () => {
  test('are gone through as its tasks come to be there', () => {
    const at = (facts: object, before = record()) =>
      lifecycleAfter(before, { scaledUp: false, completed: false, now: 0, newHookId: () => 'h', ...facts })
        .lifecycleStage
    expect(at({})).toBe('SCALE_UP')
    expect(at({ scaledUp: true })).toBe('CLEAN_UP')
    expect(at({ scaledUp: true }, record({ deploymentConfiguration: { bakeTimeInMinutes: 5 } }))).toBe('BAKE_TIME')
    expect(at({ completed: true }, record({ deploymentConfiguration: { bakeTimeInMinutes: 5 } }))).toBe('CLEAN_UP')
  })

  const hook = fc.record({
    targetType: fc.constant('PAUSE' as const),
    lifecycleStages: fc.uniqueArray(fc.constantFrom('RECONCILE_SERVICE', 'PRE_SCALE_UP', 'POST_SCALE_UP'), {
      minLength: 1,
    }),
    timeoutConfiguration: fc.record({
      timeoutInMinutes: fc.integer({ min: 1, max: 100 }),
      action: fc.constantFrom('CONTINUE' as const, 'ROLLBACK' as const),
    }),
  })

  test('never go back, pause once for each hook of a stage, and always end', () => {
    fc.assert(
      fc.property(
        fc.array(hook, { maxLength: 3 }),
        fc.boolean(),
        fc.infiniteStream(fc.boolean()),
        (lifecycleHooks, reconciles, chance) => {
          let ids = 0
          let now = 0
          let current = record({
            sourceRevisions: reconciles ? ['0', '1'] : ['1'],
            deploymentConfiguration: { lifecycleHooks },
          })
          for (let step = 0; current.lifecycleStage !== 'CLEAN_UP'; step++) {
            if (step > 50) throw new Error(`it is still at ${current.lifecycleStage}`)
            const [goesOn, scaledUp] = [chance.next().value, step > 3]
            const open = openPause(current)
            // Somebody continues it, or its time goes by.
            if (open !== undefined && goesOn)
              current = {
                ...current,
                pauses: (current.pauses ?? []).map((each) => (each === open ? { ...each, status: 'SUCCEEDED' } : each)),
              }
            else now += 30 * 60_000
            const next = lifecycleAfter(current, { scaledUp, completed: false, now, newHookId: () => `h${ids++}` })
            const [then, after] = [current, next].map((each) => stages.indexOf(each.lifecycleStage ?? ''))
            expect(after).toBeGreaterThanOrEqual(then ?? 0)
            current = next
            if (current.status === 'ROLLBACK_REQUESTED') {
              expect(current.pauses?.some((each) => each.status === 'TIMED_OUT')).toBe(true)
              return
            }
          }
          const passed = reconciles ? stages : stages.slice(1)
          const expected = lifecycleHooks
            .flatMap((each) => each.lifecycleStages)
            .filter((each) => passed.includes(each))
          expect(current.pauses?.map(({ stage }) => stage).toSorted() ?? []).toEqual(expected.toSorted())
        },
      ),
    )
  })
})
