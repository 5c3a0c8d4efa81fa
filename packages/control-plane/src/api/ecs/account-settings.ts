import type { Setting, SettingName } from '@aws-sdk/client-ecs'
import { type ArnScope, parseArn } from '@berth/shared/arn.ts'
import { type AccountSettingRecord, accountSettingKey } from '../../cell/records.ts'
import type { ReadonlyTables } from '../../cell/tables.ts'
import type { ControlPlaneDeps } from '../../control-plane-deps.ts'
import { clientException, invalidParameter } from '../errors.ts'
import type { EcsHandlers, RequestContext } from '../operation.ts'
import { takePage } from '../paging.ts'

interface AccountSetting {
  readonly default: string
  readonly allowed: readonly string[]
  /** Values that ECS knows and Berth does not do, and why. */
  readonly refused?: Readonly<Record<string, string>>
  /** Set by AWS: shown, never changed. */
  readonly awsManaged?: true
}

const longArns: AccountSetting = {
  default: 'enabled',
  allowed: ['enabled', 'disabled'],
  refused: { disabled: 'Berth has only the long ARN format' },
}

/** Every account setting of ECS: what it is when nobody set it, and what it may be. */
export const accountSettings: Readonly<Record<SettingName, AccountSetting>> = {
  awsvpcTrunking: { default: 'disabled', allowed: ['enabled', 'disabled'] },
  containerInsights: { default: 'disabled', allowed: ['enabled', 'disabled', 'enhanced'] },
  containerInstanceLongArnFormat: longArns,
  defaultLogDriverMode: { default: 'non-blocking', allowed: ['blocking', 'non-blocking'] },
  fargateEventWindows: { default: 'disabled', allowed: ['enabled', 'disabled'] },
  fargateFIPSMode: {
    default: 'disabled',
    allowed: ['enabled', 'disabled'],
    refused: { enabled: 'Berth does not know whether its hosts are FIPS-140 compliant' },
  },
  fargateTaskRetirementWaitPeriod: { default: '7', allowed: ['0', '7', '14'] },
  guardDutyActivate: { default: 'off', allowed: ['on', 'off'], awsManaged: true },
  serviceLongArnFormat: longArns,
  tagResourceAuthorization: { default: 'off', allowed: ['on', 'off'] },
  taskLongArnFormat: longArns,
}

/** Where settings of the whole account are kept. */
const wholeAccount = 'default'

/** Account settings: what each principal, and the account as a whole, has chosen. */
export function accountSettingHandlers(
  deps: ControlPlaneDeps,
): Pick<
  EcsHandlers,
  'PutAccountSetting' | 'PutAccountSettingDefault' | 'DeleteAccountSetting' | 'ListAccountSettings'
> {
  const { scope } = deps

  const put = async (principal: string, name: SettingName, value: string): Promise<Setting> => {
    const record: AccountSettingRecord = { principalArn: principal, name, value: settableValue(name, value) }
    await deps.cell().transact((tx) => tx.put('accountSettings', accountSettingKey(principal, name), record))
    return settingOf(name, value, shownPrincipal(scope, principal))
  }

  return {
    PutAccountSetting: async ({ name, value, principalArn }, context) => ({
      setting: await put(keptPrincipal(scope, principalArn, context), name, value),
    }),

    PutAccountSettingDefault: async ({ name, value }) => ({ setting: await put(wholeAccount, name, value) }),

    DeleteAccountSetting: async ({ name, principalArn }, context) => {
      const principal = keptPrincipal(scope, principalArn, context)
      const value = await deps.cell().transact((tx) => {
        tx.delete('accountSettings', accountSettingKey(principal, name))
        return effectiveAccountSetting(tx.tables, scope, principal, name)
      })
      return { setting: settingOf(name, value, shownPrincipal(scope, principal)) }
    },

    ListAccountSettings: async (input, context) => {
      if (input.value !== undefined && input.name === undefined)
        throw invalidParameter('A setting name must be specified when a value is.')
      const principal = keptPrincipal(scope, input.principalArn, context)
      const shown = shownPrincipal(scope, principal)
      const names = (Object.keys(accountSettings) as SettingName[])
        .sort()
        .filter((name) => input.name === undefined || input.name === name)
      return deps.cell().read((tables) => {
        const valueOf = (name: SettingName): string | undefined =>
          input.effectiveSettings === true
            ? effectiveAccountSetting(tables, scope, principal, name)
            : tables.accountSettings.get(accountSettingKey(principal, name))?.value
        const settings = names.flatMap((name) => {
          const value = valueOf(name)
          if (value === undefined || (input.value !== undefined && input.value !== value)) return []
          return [settingOf(name, value, shown)]
        })
        const { items, nextToken } = takePage('ListAccountSettings', input, settings, ({ name = '' }) => name)
        return { settings: items, ...(nextToken === undefined ? {} : { nextToken }) }
      })
    },
  }
}

/** What holds for a principal: what it chose, else what the account chose, else ECS's default. */
export function effectiveAccountSetting(
  tables: ReadonlyTables,
  scope: ArnScope,
  principalArn: string,
  name: SettingName,
): string {
  const principal = isRoot(scope, principalArn) ? wholeAccount : principalArn
  const chosenBy = (by: string) => tables.accountSettings.get(accountSettingKey(by, name))?.value
  return chosenBy(principal) ?? chosenBy(wholeAccount) ?? accountSettings[name].default
}

function settableValue(name: SettingName, value: string): string {
  const { allowed, refused = {}, awsManaged } = accountSettings[name]
  if (awsManaged) throw invalidParameter(`The account setting '${name}' is managed by AWS and cannot be changed.`)
  if (!allowed.includes(value))
    throw invalidParameter(
      `Invalid value '${value}' for account setting '${name}'. Valid values: ${allowed.join(', ')}.`,
    )
  if (Object.hasOwn(refused, value))
    throw clientException(`Account setting '${name}' cannot be '${value}': ${refused[value]}.`)
  return value
}

const settingOf = (name: SettingName, value: string, principalArn: string): Setting => ({
  name,
  value,
  principalArn,
  type: accountSettings[name].awsManaged ? 'aws_managed' : 'user',
})

/**
 * Whose settings are meant: the caller's, when none is named. What the root user sets holds for the whole account.
 *
 * @throws InvalidParameterException for what is no principal of this account.
 */
function keptPrincipal(scope: ArnScope, principalArn: string | undefined, context: RequestContext): string {
  const principal = principalArn ?? context.principalArn
  const arn = parseArn(principal)
  if (arn === undefined || !['iam', 'sts'].includes(arn.service) || arn.account !== scope.account)
    throw invalidParameter('The specified principalArn is invalid. Specify a user, role or root user of this account.')
  return isRoot(scope, principal) ? wholeAccount : principal
}

const shownPrincipal = (scope: ArnScope, principal: string): string =>
  principal === wholeAccount ? rootOf(scope) : principal

const isRoot = (scope: ArnScope, principalArn: string): boolean => principalArn === rootOf(scope)

const rootOf = (scope: ArnScope): string => `arn:${scope.partition}:iam::${scope.account}:root`
