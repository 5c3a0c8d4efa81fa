import type { PlacementStrategy } from '@aws-sdk/client-ecs'
import { duration, type Kind, oneOf, wholeNumber } from '@berth/shared/config/setting.ts'
import type { ClusterRecord } from './records.ts'
import { placementStrategyProblem } from './placement-rules.ts'

/** One of Berth's own settings of a cluster: how its text is read, and what it means. */
export interface ClusterSetting<T> extends Kind<T> {
  /** Text, as a user would write it; absent where the control plane's own setting holds until the cluster says otherwise. */
  readonly default?: string
  readonly help: string
}

type Described = Omit<ClusterSetting<unknown>, keyof Kind<unknown>>

const clusterSetting = <T>(kind: Kind<T>, described: Described): ClusterSetting<T> => ({ ...kind, ...described })

const enabledOrDisabled = oneOf({ enabled: true, disabled: false })

const stepForm = /^\s*([a-zA-Z]+)\s*(?:\(\s*([^()\s]+)\s*\))?\s*$/

/** A chain as `berth explain` writes it: `spread(attribute:ecs.availability-zone),binpack(memory)`. */
const placementStrategy: Kind<readonly PlacementStrategy[]> = {
  form: 'steps such as `spread(instanceId)`, `binpack(memory)` and `random`, separated by commas',
  not: 'a placement strategy such as spread(attribute:ecs.availability-zone),binpack(memory)',
  read: (text) => {
    const steps: PlacementStrategy[] = []
    for (const step of text.split(',')) {
      const [, type, field] = stepForm.exec(step) ?? []
      if (type === undefined) return undefined
      steps.push({
        type: type.toLowerCase() as NonNullable<PlacementStrategy['type']>,
        ...(field !== undefined && { field }),
      })
    }
    return placementStrategyProblem(steps) === undefined ? steps : undefined
  },
}

/**
 * Berth's own settings of a cluster. They are carried in ECS's `settings`, beside `containerInsights`:
 * `aws ecs update-cluster-settings --cluster c --settings name=berth.taskQueue,value=enabled`. The value `default` takes one away.
 */
export const clusterSettings = {
  'berth.defaultPlacementStrategy': clusterSetting(placementStrategy, {
    help: 'The placement strategy of tasks and services that name none, instead of packing by CPU and memory together, for services across zones.',
  }),
  'berth.taskQueue': clusterSetting(enabledOrDisabled, {
    default: 'disabled',
    help: 'Whether tasks of RunTask that do not fit wait as PROVISIONING for room instead of being refused.',
  }),
  'berth.taskQueueTimeout': clusterSetting(duration(0, '0s'), {
    default: '0s',
    help: 'How long a task waits for room before it is given up, if it does not say so itself. 0s = for ever.',
  }),
  'berth.rebalancing': clusterSetting(
    oneOf({ disabled: 'disabled', spread: 'spread', 'empty-hosts': 'empty-hosts' } as const),
    {
      default: 'disabled',
      help: "Whether tasks of services are moved, the new one healthy before the old one stops: to even out every spread of the strategy that they are placed by, or to empty hosts. A service's own `availabilityZoneRebalancing` is for zones.",
    },
  ),
  'berth.rebalancingBudget': clusterSetting(wholeNumber(1, 1000), {
    default: '1',
    help: 'How many tasks of the cluster may be on the move at once, for its zones too.',
  }),
  'berth.settleTime': clusterSetting(duration(0, '0s'), {
    help: 'How long a task without a health check must run before its service counts it as healthy.',
  }),
  'berth.hostLostAfter': clusterSetting(duration(0, '0s'), {
    help: 'A host not heard of for this long loses its tasks, which are replaced. 0s = never, as ECS itself.',
  }),
} as const satisfies Readonly<Record<`berth.${string}`, ClusterSetting<unknown>>>

type SettingName = keyof typeof clusterSettings
type Values = {
  readonly [K in SettingName]: (typeof clusterSettings)[K] extends ClusterSetting<infer T> ? T | undefined : never
}

/** What a cluster's settings come to, defaults filled in. Times in ms. */
export interface EffectiveClusterSettings {
  readonly defaultPlacementStrategy: readonly PlacementStrategy[] | undefined
  readonly taskQueue: boolean
  /** 0: for ever. */
  readonly taskQueueTimeoutMs: number
  readonly rebalancing: 'disabled' | 'spread' | 'empty-hosts'
  readonly rebalancingBudget: number
  /** `undefined`: as the control plane has it. */
  readonly settleMs: number | undefined
  /** `undefined`: as the control plane has it. */
  readonly hostLostAfterMs: number | undefined
}

export const clusterSettingNames = Object.keys(clusterSettings) as readonly SettingName[]

/** The value that takes a setting away. */
export const unsetValue = 'default'

/** What is wrong with one of Berth's settings, in words for an InvalidParameterException; nothing when it can be stored. */
export function clusterSettingProblem(name: string, value: string): string | undefined {
  if (!isSettingName(name)) return `there is no cluster setting ${name}; there are ${clusterSettingNames.join(', ')}`
  const { not } = clusterSettings[name]
  return value === unsetValue || read(name, value) !== undefined ? undefined : `the value of ${name} is not ${not}`
}

/** Records are never changed, so that what was read from one stays true for as long as the record lives. */
const known = new WeakMap<ClusterRecord['settings'], EffectiveClusterSettings>()
const ofNobody: ClusterRecord['settings'] = []

/** What the settings of a cluster, which were checked before they were stored, come to. Those of no cluster are the defaults. */
export function clusterSettingsOf(cluster: Pick<ClusterRecord, 'settings'> | undefined): EffectiveClusterSettings {
  const settings = cluster?.settings ?? ofNobody
  const before = known.get(settings)
  if (before !== undefined) return before
  const effective = effectiveSettings(settings)
  known.set(settings, effective)
  return effective
}

function effectiveSettings(settings: ClusterRecord['settings']): EffectiveClusterSettings {
  const value = <K extends SettingName>(name: K): Values[K] => {
    const text = settings.find((setting) => setting.name === name)?.value ?? clusterSettings[name].default
    return text === undefined ? undefined : read(name, text)
  }
  return {
    defaultPlacementStrategy: value('berth.defaultPlacementStrategy'),
    taskQueue: value('berth.taskQueue') ?? false,
    taskQueueTimeoutMs: value('berth.taskQueueTimeout') ?? 0,
    rebalancing: value('berth.rebalancing') ?? 'disabled',
    rebalancingBudget: value('berth.rebalancingBudget') ?? 1,
    settleMs: value('berth.settleTime'),
    hostLostAfterMs: value('berth.hostLostAfter'),
  }
}

const read = <K extends SettingName>(name: K, text: string): Values[K] =>
  clusterSettings[name].read(text.trim()) as Values[K]

const isSettingName = (name: string): name is SettingName => Object.hasOwn(clusterSettings, name)
