import { ConfigError } from '@berth/shared/config/read-settings.ts'
import { describe, expect, it } from 'vitest'
import { compileControlPlaneConfig } from './control-plane-config.ts'

const least = { BERTH_ACCESS_KEYS_FILE: 'keys.json' }
const compile = (environment: Record<string, string>, flags: Record<string, string> = {}) =>
  compileControlPlaneConfig({ flags, environment: { ...least, ...environment }, files: [] })

function mistakesOf(run: () => unknown): readonly string[] {
  try {
    run()
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes
    throw error
  }
  return []
}

describe('the configuration of the control plane', () => {
  it('has a default for all but the access keys', () => {
    expect(compile({})).toMatchObject({
      listen: { host: '127.0.0.1', port: 4566 },
      account: '123456789012',
      region: 'us-east-1',
      leaseMs: 5000,
      hostLostAfterMs: 60_000,
    })
    expect(mistakesOf(() => compileControlPlaneConfig({ flags: {}, environment: {}, files: [] }))).toEqual([
      expect.stringContaining('BERTH_ACCESS_KEYS_FILE is not set'),
    ])
  })

  it('takes a flag before the environment before a file', () => {
    const files = [{ path: 'file', text: 'BERTH_REGION=from-file\nBERTH_CELL=from-file\nBERTH_ACCOUNT=000000000003' }]
    const environment = { ...least, BERTH_REGION: 'from-environment', BERTH_CELL: 'from-environment' }
    expect(compileControlPlaneConfig({ flags: { region: 'from-flag' }, environment, files })).toMatchObject({
      region: 'from-flag',
      cell: 'from-environment',
      account: '000000000003',
    })
  })

  it.each([
    [{ BERTH_LISTEN: '4566' }, 'BERTH_LISTEN'],
    [{ BERTH_LISTEN: '127.0.0.1:70000' }, 'BERTH_LISTEN'],
    [{ BERTH_ACCOUNT: '12' }, 'BERTH_ACCOUNT'],
    [{ BERTH_RUN_TASK_LIMIT: '0' }, 'BERTH_RUN_TASK_LIMIT'],
    [{ BERTH_HOST_LOST_AFTER: '10s' }, 'BERTH_HOST_LOST_AFTER is shorter'],
    [{ BERTH_HOST_DISCONNECTED_AFTER: '6s' }, 'hosts would flap'],
  ])('names the mistake in %o', (environment, said) => {
    expect(mistakesOf(() => compile(environment))).toEqual([expect.stringContaining(said)])
  })

  it('names all mistakes at once, and an option that there is not', () => {
    expect(mistakesOf(() => compile({ BERTH_ACCOUNT: 'x', BERTH_LEASE: 'soon' }, { colour: 'red' }))).toHaveLength(3)
  })
})
