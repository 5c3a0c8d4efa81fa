import { describe, expect, it } from 'vitest'
import { registryCredentials } from './registry-credentials.ts'

const auth = Buffer.from('puller:pass:word').toString('base64')

describe('who signs in to a registry', () => {
  const byHost = registryCredentials('docker', {
    'registry.example.com:5000': { username: 'five', password: 'thousand', email: 'x@example.com' },
    'https://index.docker.io/v1/': { username: 'hub', password: 'pw' },
  })

  it.each([
    ['registry.example.com:5000/app:1', { username: 'five', password: 'thousand' }],
    ['registry.example.com:5000/team/app@sha256:0', { username: 'five', password: 'thousand' }],
    ['registry.example.com/app', undefined],
    ['redis:7', { username: 'hub', password: 'pw' }],
    ['team/app', { username: 'hub', password: 'pw' }],
    ['toString/app', { username: 'hub', password: 'pw' }],
  ])('for %s', (image, credentials) => {
    expect(byHost(image)).toEqual(credentials)
  })

  it.each([
    ["as ECS's dockercfg", { 'https://registry.example.com/v2/': { auth, email: '' } }],
    ['as docker login writes it', { auths: { 'registry.example.com': { auth } } }],
  ])('%s', (_how, data) => {
    const credentialsFor = registryCredentials('dockercfg', data)
    expect(credentialsFor('registry.example.com/app')).toEqual({ username: 'puller', password: 'pass:word' })
    expect(credentialsFor('elsewhere.example.com/app')).toBeUndefined()
  })

  it.each([
    ['docker', { r: { auth } }],
    ['dockercfg', { r: { auth: 'hunter2' } }],
    ['dockercfg', { r: { username: 'hunter2', password: '' } }],
  ] as const)('is a mistake that does not show the data: %s %j', (type, data) => {
    expect(() => registryCredentials(type, data)).toThrow(
      new Error(`is not of the form that ECS_ENGINE_AUTH_TYPE=${type} has`),
    )
  })
})
