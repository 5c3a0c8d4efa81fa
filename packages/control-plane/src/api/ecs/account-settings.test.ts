import { beforeEach, describe, expect, it } from 'vitest'
import { ecsModel } from '../model/gen/ecs-model.ts'
import { accountSettingHandlers, accountSettings } from './account-settings.ts'
import { type CallOperation, callOperations } from './testing/call-operation.ts'
import { testControlPlane, testPrincipal } from './testing/test-control-plane.ts'

const user = 'arn:aws:iam::123456789012:user/ann'

let call: CallOperation
beforeEach(() => {
  const plane = testControlPlane()
  call = callOperations(plane, accountSettingHandlers(plane.deps))
})

const effective = async (principalArn: string) =>
  (await call('ListAccountSettings', { effectiveSettings: true, name: 'containerInsights', principalArn })).settings

describe('account settings', () => {
  it('are those of the model', () => {
    expect(Object.keys(accountSettings).sort()).toEqual([...(ecsModel.enums['SettingName'] ?? [])].sort())
  })

  it('are ECS defaults until somebody sets them', async () => {
    expect((await call('ListAccountSettings', {})).settings).toEqual([])
    const first = await call('ListAccountSettings', { effectiveSettings: true })
    const rest = await call('ListAccountSettings', { effectiveSettings: true, nextToken: first.nextToken })
    const settings = [...(first.settings ?? []), ...(rest.settings ?? [])]
    expect(settings).toHaveLength(Object.keys(accountSettings).length)
    expect(settings).toContainEqual({
      name: 'taskLongArnFormat',
      value: 'enabled',
      principalArn: testPrincipal,
      type: 'user',
    })
    expect(settings).toContainEqual({
      name: 'guardDutyActivate',
      value: 'off',
      principalArn: testPrincipal,
      type: 'aws_managed',
    })
  })

  it('of a principal come before those of the account, and those before the default', async () => {
    await call('PutAccountSettingDefault', { name: 'containerInsights', value: 'enabled' })
    await call('PutAccountSetting', { name: 'containerInsights', value: 'enhanced', principalArn: user })
    expect(await effective(user)).toMatchObject([{ value: 'enhanced', principalArn: user }])
    expect(await effective('arn:aws:iam::123456789012:user/bob')).toMatchObject([{ value: 'enabled' }])
    const deleted = await call('DeleteAccountSetting', { name: 'containerInsights', principalArn: user })
    expect(deleted.setting).toMatchObject({ value: 'enabled', principalArn: user })
    expect(await effective(user)).toMatchObject([{ value: 'enabled' }])
  })

  it('of the root user are those of the account', async () => {
    await call('PutAccountSetting', { name: 'containerInsights', value: 'enabled' })
    expect(await effective(user)).toMatchObject([{ value: 'enabled' }])
  })

  it("are the caller's where nobody is named", async () => {
    await call('PutAccountSetting', { name: 'awsvpcTrunking', value: 'enabled' }, { principalArn: user })
    expect((await call('ListAccountSettings', {}, { principalArn: user })).settings).toMatchObject([
      { name: 'awsvpcTrunking', value: 'enabled', principalArn: user },
    ])
    expect((await call('ListAccountSettings', {})).settings).toEqual([])
  })

  it('are filtered by name and value, and come in pages', async () => {
    const enabled = { effectiveSettings: true, name: 'taskLongArnFormat', value: 'disabled' } as const
    expect((await call('ListAccountSettings', enabled)).settings).toEqual([])
    await expect(call('ListAccountSettings', { value: 'enabled' })).rejects.toMatchObject({
      code: 'InvalidParameterException',
    })
    const first = await call('ListAccountSettings', { effectiveSettings: true, maxResults: 8 })
    const rest = await call('ListAccountSettings', { effectiveSettings: true, nextToken: first.nextToken })
    expect([first.settings?.length, rest.settings?.length, rest.nextToken]).toEqual([8, 3, undefined])
  })

  it.each([
    ['containerInsights', 'maybe', 'InvalidParameterException'],
    ['guardDutyActivate', 'on', 'InvalidParameterException'],
    ['taskLongArnFormat', 'disabled', 'ClientException'],
    ['fargateFIPSMode', 'enabled', 'ClientException'],
  ] as const)('%s cannot be %s', async (name, value, code) => {
    await expect(call('PutAccountSetting', { name, value })).rejects.toMatchObject({ code })
    await expect(call('PutAccountSettingDefault', { name, value })).rejects.toMatchObject({ code })
  })

  it.each(['ann', 'arn:aws:iam::999999999999:user/ann', 'arn:aws:ecs:us-east-1:123456789012:cluster/a'])(
    'cannot be those of %s',
    async (principalArn) => {
      await expect(call('ListAccountSettings', { principalArn })).rejects.toMatchObject({
        code: 'InvalidParameterException',
      })
    },
  )
})
