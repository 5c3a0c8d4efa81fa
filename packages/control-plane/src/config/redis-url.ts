import type { Kind } from '@berth/shared/config/setting.ts'

export interface RedisServer {
  readonly host: string
  readonly port: number
}

interface RedisAccess {
  readonly username?: string
  readonly password?: string
  readonly tls: boolean
}

/** Where Redis is: one server, Sentinels that know which one it is, or servers of a Redis Cluster. */
export type RedisLocation =
  | (RedisAccess & { readonly kind: 'server'; readonly server: RedisServer; readonly database: number })
  | (RedisAccess & { readonly kind: 'sentinel'; readonly sentinels: readonly RedisServer[]; readonly name: string })
  | (RedisAccess & { readonly kind: 'cluster'; readonly seeds: readonly RedisServer[] })

const defaultPort = { server: 6379, sentinel: 26_379, cluster: 6379 }

/**
 * `redis://[user:password@]host[:port][/database]`; `redis-sentinel://...host[:port],host[:port].../name` with the Sentinels and the name that
 * they know the primary by; `redis-cluster://...host[:port],host[:port]...` with some servers of a Redis Cluster. `rediss...` speaks TLS.
 */
export const redisUrl: Kind<RedisLocation> = {
  form: '`redis://`, `redis-sentinel://` or `redis-cluster://` URL, or the same with `rediss` for TLS',
  not: 'such as redis://:password@host:6379, rediss-sentinel://:password@host:26379,host:26379/name or redis-cluster://host,host',
  read(text) {
    const match = /^redis(s?)(?:-(sentinel|cluster))?:\/\/(?:([^@/]*)@)?([^/?#]+)(?:\/([^/?#]*))?$/.exec(text)
    if (match === null) return undefined
    const [, secure, kind = 'server', user = '', hosts = '', path = ''] = match
    const access = accessOf(user, secure === 's')
    const servers = hosts.split(',').map((host) => serverOf(host, defaultPort[kind as keyof typeof defaultPort]))
    if (access === undefined || !servers.every((server) => server !== undefined)) return undefined
    const [first] = servers
    if (kind === 'sentinel') return path === '' ? undefined : { ...access, kind, sentinels: servers, name: path }
    if (kind === 'cluster') return path === '' ? { ...access, kind, seeds: servers } : undefined
    if (first === undefined || servers.length > 1 || !/^\d{0,2}$/.test(path)) return undefined
    return { ...access, kind: 'server', server: first, database: Number(path) }
  },
}

function accessOf(user: string, tls: boolean): RedisAccess | undefined {
  const colon = user.indexOf(':')
  try {
    const username = decodeURIComponent(colon < 0 ? user : user.slice(0, colon))
    const password = colon < 0 ? '' : decodeURIComponent(user.slice(colon + 1))
    return { tls, ...(username !== '' && { username }), ...(password !== '' && { password }) }
  } catch {
    return undefined
  }
}

function serverOf(text: string, otherwise: number): RedisServer | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:]+)\]|([^\s:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const host = bracketed ?? plain
  const port = digits === undefined ? otherwise : Number(digits)
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port }
}
