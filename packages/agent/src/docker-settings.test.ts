import { describe, expect, it } from 'vitest'
import { compileAgentConfig } from './config/agent-config.ts'
import { dockerRuntimeOptions, engineAddress } from './docker-settings.ts'

const configOf = (environment: Readonly<Record<string, string>> = {}) =>
  compileAgentConfig({ flags: {}, environment: { BERTH_SERVER: 'cell:1', ...environment }, files: [] }).config

describe('what the Docker runtime is told', () => {
  const heard = () => {}

  it("has ECS's own time limits", () => {
    expect(dockerRuntimeOptions(configOf(), heard)).toEqual({
      taskNetwork: 'bridge',
      limitsTasks: true,
      pull: { inactivityMs: 60_000, onResolved: heard },
      deadlines: { create: 240_000, start: 180_000 },
    })
  })

  it('has what the operator says', () => {
    const said = { BERTH_PARALLEL_STARTS: '3', BERTH_CGROUP_PARENT: '/lab', ECS_CONTAINER_START_TIMEOUT: '45s' }
    expect(dockerRuntimeOptions(configOf(said), heard)).toMatchObject({
      parallel: 3,
      cgroupParent: '/lab',
      deadlines: { start: 45_000 },
    })
    expect(engineAddress(configOf({ DOCKER_HOST: 'tcp://d:2376', DOCKER_CERT_PATH: '/certs' }))).toEqual({
      dockerHost: 'tcp://d:2376',
      certPath: '/certs',
    })
  })
})
