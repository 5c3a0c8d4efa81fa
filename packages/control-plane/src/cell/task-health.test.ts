import { describe, expect, test } from 'vitest'
import type { TaskContainerRecord } from './records.ts'
import { taskHealth } from './task-health.ts'

type Health = TaskContainerRecord['healthStatus']

const container = (healthStatus: Health, essential = true, hasHealthCheck = true) =>
  ({ healthStatus, essential, hasHealthCheck }) as TaskContainerRecord

describe('taskHealth', () => {
  test.each<[string, TaskContainerRecord[], Health]>([
    ['nobody is asked', [container('UNKNOWN', true, false)], 'UNKNOWN'],
    ['all are well', [container('HEALTHY'), container('HEALTHY')], 'HEALTHY'],
    ['one is not', [container('HEALTHY'), container('UNHEALTHY')], 'UNHEALTHY'],
    ['one has not said', [container('HEALTHY'), container('UNKNOWN')], 'UNKNOWN'],
    ['one that is not essential is not well', [container('HEALTHY'), container('UNHEALTHY', false)], 'HEALTHY'],
    ['one has no check', [container('HEALTHY'), container('UNKNOWN', true, false)], 'HEALTHY'],
  ])('when %s', (_, containers, health) => {
    expect(taskHealth({ containers })).toBe(health)
  })
})
