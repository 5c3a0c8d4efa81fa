import { expect, it } from 'vitest'
import { isImageId, parseImageReference } from './image-reference.ts'

const digest = `sha256:${'ab'.repeat(32)}`

it.each([
  ['busybox', 'docker.io', 'busybox', 'latest'],
  ['busybox:1.36', 'docker.io', 'busybox', '1.36'],
  ['library/busybox', 'docker.io', 'library/busybox', 'latest'],
  ['localhost/thing', 'localhost', 'localhost/thing', 'latest'],
  ['registry.example:5000/a/b/c:v1', 'registry.example:5000', 'registry.example:5000/a/b/c', 'v1'],
  ['127.0.0.1:5000/thing', '127.0.0.1:5000', '127.0.0.1:5000/thing', 'latest'],
  ['ghcr.io/a/b', 'ghcr.io', 'ghcr.io/a/b', 'latest'],
  [`busybox@${digest}`, 'docker.io', 'busybox', digest],
  [`registry:5000/a:v1@${digest}`, 'registry:5000', 'registry:5000/a', digest],
])('%s', (image, registry, name, version) => {
  expect(parseImageReference(image)).toEqual({ registry, name, version, byDigest: version === digest })
})

it.each([
  [digest, true],
  ['ab'.repeat(32), true],
  ['ab'.repeat(31), false],
  [`busybox@${digest}`, false],
  ['busybox', false],
])('%s is the id of an image: %s', (image, expected) => {
  expect(isImageId(image)).toBe(expected)
})
