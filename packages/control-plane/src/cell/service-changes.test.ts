import { seededRandom } from '@berth/shared/random.ts'
import { virtualClock } from '@berth/shared/virtual-clock.ts'
import { silentLog } from '@berth/shared/log.ts'
import { describe, expect, test } from 'vitest'
import { memoryStore } from '../store/memory/memory-store.ts'
import { Cell } from './cell.ts'
import type { ServiceRecord } from './records.ts'
import {
  appendServiceEvent,
  beginDeployment,
  changeDeployment,
  forgetServiceEvents,
  keptPastDeployments,
  keptServiceEvents,
  newDeployment,
  primaryDeployment,
  removeDeployments,
  returnToDeployment,
  scaleService,
  serviceEvents,
} from './service-changes.ts'

const clock = virtualClock()
const random = seededRandom(7)
const plan = {
  taskDefinitionArn: 'web:1',
  desiredCount: 2,
  launchType: 'EC2' as const,
  capacityProviderStrategy: [],
}
const service: ServiceRecord = {
  name: 'shop',
  cluster: 'default',
  arn: 'arn',
  status: 'ACTIVE',
  schedulingStrategy: 'REPLICA',
  desiredCount: 2,
  taskDefinitionArn: 'web:1',
  launchType: 'EC2',
  capacityProviderStrategy: [],
  deploymentController: 'ECS',
  deploymentConfiguration: {},
  placementConstraints: [],
  placementStrategy: [],
  availabilityZoneRebalancing: 'DISABLED',
  enableECSManagedTags: false,
  enableExecuteCommand: false,
  propagateTags: 'NONE',
  deployments: [newDeployment({ clock, random }, plan)],
  tags: {},
  createdAt: 0,
  createdBy: 'me',
  steady: true,
}

describe('deployments', () => {
  test('a new one becomes PRIMARY, first in the list, and the service follows its definition', () => {
    const next = newDeployment({ clock, random }, { ...plan, taskDefinitionArn: 'web:2' })
    const rolled = beginDeployment(service, next, 5)
    expect(rolled).toMatchObject({ taskDefinitionArn: 'web:2', steady: false })
    expect(rolled.deployments.map(({ id, status }) => [id, status])).toEqual([
      [next.id, 'PRIMARY'],
      [service.deployments[0]?.id, 'ACTIVE'],
    ])
    expect(primaryDeployment(rolled)).toBe(next)
    const done = removeDeployments(rolled, new Set([service.deployments[0]?.id ?? '']))
    expect(done.deployments).toEqual([next])
  })

  test('what became of them is kept, also after they are gone', () => {
    const [first] = service.deployments
    const completed = changeDeployment(service, first?.id ?? '', { rolloutState: 'COMPLETED' }, 3)
    const again = changeDeployment(completed, first?.id ?? '', { rolloutState: 'COMPLETED' }, 4)
    const next = newDeployment({ clock, random }, { ...plan, taskDefinitionArn: 'web:2' })
    const rolled = removeDeployments(beginDeployment(again, next, 5), new Set([first?.id ?? '']))
    expect(rolled.pastDeployments).toMatchObject([
      {
        id: first?.id,
        taskDefinitionArn: 'web:1',
        steps: [
          ['COMPLETED', 3],
          ['REPLACED', 5],
        ],
      },
    ])
    const failed = changeDeployment(rolled, next.id, { rolloutState: 'FAILED' }, 6)
    const back = returnToDeployment(failed, again.deployments[0] ?? next, 'rolled back', 7)
    expect(back.deployments.map(({ steps }) => steps)).toEqual([
      [
        ['COMPLETED', 3],
        ['REPLACED', 5],
        ['RETURNED', 7],
      ],
      [
        ['FAILED', 6],
        ['REPLACED', 7],
      ],
    ])
    expect(back.pastDeployments).toEqual([])
  })

  test(`of those that are gone ${keptPastDeployments} are kept`, () => {
    let rolled = service
    for (let at = 0; at < keptPastDeployments + 3; at++) {
      const before = primaryDeployment(rolled)?.id ?? ''
      rolled = beginDeployment(rolled, newDeployment({ clock, random }, plan), at)
      rolled = removeDeployments(rolled, new Set([before]))
    }
    expect(rolled.pastDeployments?.map(({ steps }) => steps[0]?.[1])).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 3])
  })

  test('a change touches one of them and its time', () => {
    const [deployment] = service.deployments
    const changed = changeDeployment(service, deployment?.id ?? '', { failedTasks: 3 }, 99)
    expect(changed.deployments).toEqual([{ ...deployment, failedTasks: 3, updatedAt: 99 }])
  })

  test('scaling goes to the service and its PRIMARY deployment', () => {
    const scaled = scaleService(service, 7, 99)
    expect(scaled).toMatchObject({ desiredCount: 7, steady: false, deployments: [{ desiredCount: 7 }] })
  })
})

describe('events', () => {
  test(`the last ${keptServiceEvents} are kept, newest first`, async () => {
    const cell = await emptyCell()
    for (let index = 1; index <= keptServiceEvents + 5; index++)
      await cell.transact((tx) => appendServiceEvent(tx, { clock, random }, service, `event ${index}`))
    const events = serviceEvents(cell.tables, 'default', 'shop')
    expect(events).toHaveLength(keptServiceEvents)
    expect(events[0]?.message).toBe(`event ${keptServiceEvents + 5}`)
    expect(events.at(-1)?.message).toBe('event 6')
    await cell.transact((tx) => forgetServiceEvents(tx, 'default', 'shop'))
    expect(cell.tables.serviceEvents.size).toBe(0)
  })
})

async function emptyCell(): Promise<Cell> {
  const store = memoryStore({ clock })
  const lease = await store.acquireLease('test', 60_000, { api: '', agents: '' })
  if (lease.kind !== 'held') throw new Error('the lease of a new store is taken')
  const deps = { store, fence: lease.fence, clock, random, log: silentLog, defer: queueMicrotask, onLost: () => {} }
  return new Cell(deps, await store.load())
}
