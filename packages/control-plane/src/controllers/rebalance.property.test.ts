import { randomBelow, seededRandom } from '@berth/shared/random.ts'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hostIds } from '../api/ecs/testing/test-cluster.ts'
import type { HostRecord, ServiceRecord, TaskRecord } from '../cell/records.ts'
import { defaultControlPlaneSettings } from '../control-plane-deps.ts'
import { clusterWithServices } from './testing/service-cluster.ts'

const strategies = [
  [],
  [{ type: 'spread', field: 'instanceId' }],
  [
    { type: 'spread', field: 'attribute:ecs.availability-zone' },
    { type: 'spread', field: 'instanceId' },
  ],
  [
    { type: 'spread', field: 'instanceId' },
    { type: 'spread', field: 'attribute:rack' },
  ],
  [{ type: 'random' }],
] as const

/** Longer than any back-off that a few failures lead to, in s. */
const quietS = 400

/** A random cluster of six hosts in three zones and three racks with three services, after hosts went and came back. */
async function lopsidedCluster(seed: number) {
  const random = seededRandom(seed)
  const one = <T>(of: readonly T[]): T => of[randomBelow(random, of.length)] as T
  const cluster = await clusterWithServices(3)
  const { cell, clock, put, call } = cluster
  const all = [...hostIds, ...['d', 'e', 'f'].map((digit) => digit.repeat(32))]
  const base = cell.tables.hosts.get(hostIds[0] as string) as HostRecord
  for (const [at, id] of all.entries()) {
    const attributes = [
      ...base.attributes.filter(({ name }) => name !== 'ecs.availability-zone'),
      { name: 'ecs.availability-zone', value: `zone-${at % 3}`, fromAgent: true },
      { name: 'rack', value: `rack-${at % 2}`, fromAgent: false },
    ]
    await put('hosts', id, { ...base, id, agentHostId: id, attributes, cpu: 1024 + 512 * randomBelow(random, 3) })
  }
  await call('UpdateClusterSettings', {
    cluster: 'default',
    settings: [
      { name: 'berth.rebalancing', value: one(['disabled', 'spread', 'empty-hosts']) },
      { name: 'berth.rebalancingBudget', value: one(['1', '2', '7']) },
    ],
  } as never)
  const setHost = async (id: string, change: Partial<HostRecord>) =>
    put('hosts', id, { ...(cell.tables.hosts.get(id) as HostRecord), ...change })
  const away = all.filter(() => randomBelow(random, 3) > 0).slice(0, 5)
  for (const id of away) await setHost(id, { status: 'DRAINING' })
  const names = ['one', 'two', 'three']
  for (const serviceName of names) {
    await call('CreateService', {
      serviceName,
      taskDefinition: 'web',
      desiredCount: 1 + randomBelow(random, 4),
      placementStrategy: one(strategies) as never,
      deploymentConfiguration: { minimumHealthyPercent: one([50, 100]), maximumPercent: one([125, 150, 200]) },
      placementConstraints: randomBelow(random, 4) === 0 ? [{ type: 'distinctInstance' }] : [],
    })
  }
  return { ...cluster, random, away, setHost, names, settle: () => clock.settle() }
}

describe('rebalancing of any cluster', () => {
  test(
    'comes to rest, and takes no service below its minimum or above its maximum on the way',
    { timeout: 120_000 },
    async () => {
      let moved = 0
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 0, max: 1_000_000 }), async (seed) => {
          const cluster = await lopsidedCluster(seed)
          const { tables } = cluster.cell
          const step = async () => {
            await cluster.settle()
            await cluster.hostsWork()
            await cluster.clock.advanceBy(1000)
          }
          for (let second = 0; second < 20; second++) await step()
          const full = Array.from(tables.services.values()).filter(({ steady }) => steady)
          const broken: string[] = []
          cluster.cell.onApplied(() => broken.push(...full.flatMap(({ name }) => brokenBounds(name))))
          for (const id of cluster.away) await cluster.setHost(id, { status: 'ACTIVE' })
          const failing = randomBelow(cluster.random, 3)
          for (let failed = 0; failed < failing; failed++) {
            await cluster.clock.advanceBy(1100)
            await cluster.failPending(({ move }) => move !== undefined)
          }
          for (let second = 0; second < quietS; second++) await step()
          const moves = movesOf(cluster.tasks())
          moved += moves.length
          expect(moves.every(({ move }) => move?.outcome !== undefined)).toBe(true)
          await cluster.setHost(hostIds[0] as string, { version: 1000 })
          for (let second = 0; second < 60; second++) await step()
          expect(movesOf(cluster.tasks())).toHaveLength(moves.length)

          expect(broken).toEqual([])

          function brokenBounds(name: string): string[] {
            const { desiredCount, deploymentConfiguration } = tables.services.get(`default/${name}`) as ServiceRecord
            const { minimumHealthyPercent = 100, maximumPercent = 200 } = deploymentConfiguration
            const live = cluster
              .tasks()
              .filter(
                (task) =>
                  task.serviceName === name && task.desiredStatus === 'RUNNING' && task.lastStatus !== 'STOPPED',
              )
            const healthy = live.filter(({ lastStatus, startedAt = 0 }) => {
              return lastStatus === 'RUNNING' && cluster.clock.now() - startedAt >= defaultControlPlaneSettings.settleMs
            })
            const least = Math.ceil((desiredCount * minimumHealthyPercent) / 100)
            const most = Math.floor((desiredCount * maximumPercent) / 100)
            return [
              ...(live.length > most ? [`${name} has ${live.length} tasks and may have ${most}`] : []),
              ...(healthy.length < least ? [`${name} has ${healthy.length} healthy tasks and needs ${least}`] : []),
            ]
          }
        }),
        { numRuns: 25 },
      )
      expect(moved).toBeGreaterThan(10)
    },
  )
})

const movesOf = (tasks: readonly TaskRecord[]) => tasks.filter(({ move }) => move !== undefined)
