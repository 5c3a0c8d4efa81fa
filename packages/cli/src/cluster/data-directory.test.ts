import { expect, test } from 'vitest'
import { dataDirectoryAt, defaultDataDirectory } from './data-directory.ts'

test.each([
  [{}, '/home/ada/.local/state/berth'],
  [{ XDG_STATE_HOME: '/state' }, '/state/berth'],
  [{ XDG_STATE_HOME: 'state' }, '/home/ada/.local/state/berth'],
  [{ XDG_STATE_HOME: '' }, '/home/ada/.local/state/berth'],
])('with %o a cluster is kept in %s', (environment, directory) => {
  expect(defaultDataDirectory(environment, '/home/ada')).toBe(directory)
})

test('every agent and every process has a place of its own', () => {
  const directory = dataDirectoryAt('/d')
  expect(directory.agent(2)).toBe('/d/agents/2')
  expect(directory.log('redis')).toBe('/d/logs/redis.log')
})
