import { expect, it } from 'vitest'
import { chooseApi, dockerOptions } from './engine-connection.ts'

it.each([
  ['1.41', '1.12', '1.41'],
  ['1.50', '1.24', '1.41'],
  ['1.52', '1.44', '1.44'],
  ['1.100', '1.99', '1.99'],
])('an engine of API %s down to %s is spoken to in %s', (ApiVersion, MinAPIVersion, expected) => {
  expect(chooseApi({ ApiVersion, MinAPIVersion })).toBe(expected)
})

it('an engine that is too old is refused', () => {
  expect(() => chooseApi({ ApiVersion: '1.40', MinAPIVersion: '1.12' })).toThrow(/20\.10 or newer/)
})

it.each([
  [{}, { socketPath: '/var/run/docker.sock' }],
  [{ dockerHost: 'unix:///run/other.sock' }, { socketPath: '/run/other.sock' }],
  [{ dockerHost: 'tcp://10.0.0.1' }, { host: '10.0.0.1', port: 2375, protocol: 'http' }],
  [{ dockerHost: 'tcp://10.0.0.1:99' }, { host: '10.0.0.1', port: 99, protocol: 'http' }],
  [{ dockerHost: 'https://docker.example' }, { host: 'docker.example', port: 2376, protocol: 'https' }],
])('%o', (address, expected) => {
  expect(dockerOptions(address)).toEqual(expected)
})

it('an address of another kind is refused', () => {
  expect(() => dockerOptions({ dockerHost: 'ssh://host' })).toThrow(/ssh/)
})
