import { describe, expect, it } from 'vitest'
import { agentOptions } from './agent-options.ts'
import { compileAgentConfig } from './config/agent-config.ts'

const configOf = (efsServers: string) =>
  compileAgentConfig({ flags: {}, environment: { BERTH_SERVER: 'cell:1', BERTH_EFS_SERVERS: efsServers }, files: [] })
    .config

describe('the server of an EFS file system', () => {
  const serverOf = (efsServers: string, id: string) => agentOptions(configOf(efsServers), '').engine.efsServerOf(id)

  it('is the one that is named, or else follows the rule for all', () => {
    const both = '{"fs-1": "10.0.0.5:/export", "*": "nas:/efs/{id}"}'
    expect(serverOf(both, 'fs-1')).toBe('10.0.0.5:/export')
    expect(serverOf(both, 'fs-2')).toBe('nas:/efs/fs-2')
  })

  it('is unknown where nothing says it', () => {
    expect(serverOf('{}', 'fs-1')).toBeUndefined()
    expect(serverOf('{"fs-2": "10.0.0.5:/"}', 'fs-1')).toBeUndefined()
  })

  it.each(['{"fs-1": "10.0.0.5"}', '{"fs-1": 5}', '["fs-1"]', 'fs-1'])('cannot be read from %s', (text) => {
    expect(() => configOf(text)).toThrow('BERTH_EFS_SERVERS')
  })
})
