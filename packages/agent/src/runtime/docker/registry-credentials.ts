import { z } from 'zod'
import type { PullRequest } from '../container-runtime.ts'
import { parseImageReference } from './image-reference.ts'

/** ECS_ENGINE_AUTH_TYPE: how ECS_ENGINE_AUTH_DATA is written. */
export type RegistryAuthType = 'docker' | 'dockercfg'

type Credentials = NonNullable<PullRequest['credentials']>

const named = z.object({ username: z.string().min(1), password: z.string() })

/** `auth` is `username:password` in base64, as `docker login` writes it. */
const encoded = z.object({ auth: z.string() }).transform(({ auth }, context): Credentials => {
  const [, username = '', password = ''] = /^([^:]+):([^\0]*)/.exec(Buffer.from(auth, 'base64').toString()) ?? []
  if (username !== '') return { username, password }
  context.addIssue({ code: 'custom', message: 'is not of the form username:password in base64' })
  return z.NEVER
})

const forms: Readonly<Record<RegistryAuthType, z.ZodType<Readonly<Record<string, Credentials>>>>> = {
  docker: z.record(z.string(), named),
  // What `docker login` writes today stands within `auths`.
  dockercfg: z.union([
    z.object({ auths: z.record(z.string(), encoded) }).transform(({ auths }) => auths),
    z.record(z.string(), encoded),
  ]),
}

/**
 * Who signs in to the registry that an image comes from, by ECS_ENGINE_AUTH_DATA.
 *
 * @throws Error that says what is wrong with the data, without any of it.
 */
export function registryCredentials(type: RegistryAuthType, data: unknown): (image: string) => Credentials | undefined {
  const parsed = forms[type].safeParse(data)
  if (!parsed.success) throw new Error(`is not of the form that ECS_ENGINE_AUTH_TYPE=${type} has`)
  const byRegistry = new Map(Object.entries(parsed.data).map(([key, credentials]) => [registryOf(key), credentials]))
  return (image) => byRegistry.get(parseImageReference(image).registry)
}

/** Docker's own names of its hub, which image references have as `docker.io`. */
const hub = new Set(['index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com'])

/** `https://index.docker.io/v1/` and `registry.example.com:5000/v2` name a registry by their host. */
function registryOf(key: string): string {
  const host = key.replace(/^https?:\/\//, '').replace(/\/.*$/, '')
  return hub.has(host) ? 'docker.io' : host
}
