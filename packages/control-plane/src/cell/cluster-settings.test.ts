import { describe, expect, it } from 'vitest'
import { clusterSettingProblem, clusterSettingsOf } from './cluster-settings.ts'

const of = (settings: Readonly<Record<string, string>>) =>
  clusterSettingsOf({ settings: Object.entries(settings).map(([name, value]) => ({ name, value })) })

describe('the settings of a cluster', () => {
  it('are the defaults where nothing is said, and where there is no cluster', () => {
    const defaults = {
      defaultPlacementStrategy: undefined,
      taskQueue: false,
      taskQueueTimeoutMs: 0,
      rebalancing: 'disabled',
      rebalancingBudget: 1,
      settleMs: undefined,
      hostLostAfterMs: undefined,
    }
    expect(of({ containerInsights: 'enabled' })).toEqual(defaults)
    expect(clusterSettingsOf(undefined)).toEqual(defaults)
  })

  it('are read', () => {
    expect(
      of({
        'berth.defaultPlacementStrategy': 'spread(attribute:ecs.availability-zone), BinPack(memory),random',
        'berth.taskQueue': 'enabled',
        'berth.taskQueueTimeout': '2h',
        'berth.rebalancing': 'empty-hosts',
        'berth.rebalancingBudget': '7',
        'berth.settleTime': '0s',
        'berth.hostLostAfter': '1m30s',
      }),
    ).toEqual({
      defaultPlacementStrategy: [
        { type: 'spread', field: 'attribute:ecs.availability-zone' },
        { type: 'binpack', field: 'memory' },
        { type: 'random' },
      ],
      taskQueue: true,
      taskQueueTimeoutMs: 7_200_000,
      rebalancing: 'empty-hosts',
      rebalancingBudget: 7,
      settleMs: 0,
      hostLostAfterMs: 90_000,
    })
  })

  it.each([
    ['berth.taskQueue', 'yes'],
    ['berth.rebalancing', 'enabled'],
    ['berth.rebalancingBudget', '0'],
    ['berth.settleTime', '5'],
    ['berth.hostLostAfter', '-1s'],
    ['berth.defaultPlacementStrategy', ''],
    ['berth.defaultPlacementStrategy', 'binpack'],
    ['berth.defaultPlacementStrategy', 'binpack(disk)'],
    ['berth.defaultPlacementStrategy', 'random,random,random,random,random,random'],
    ['berth.nothing', '1'],
  ])('refuse %s = %j in a sentence that names it', (name, value) => {
    expect(clusterSettingProblem(name, value)).toContain(name)
  })

  it('may be taken away', () => {
    expect(clusterSettingProblem('berth.taskQueue', 'default')).toBeUndefined()
  })
})
