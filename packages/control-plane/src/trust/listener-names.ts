import { hostname, networkInterfaces } from 'node:os'

const everywhere = new Set(['', '0.0.0.0', '::'])

/** By which names and addresses clients may call a control plane that listens on `listenHosts` and says that it is reached at `advertised`. */
export function listenerNames(listenHosts: readonly string[], advertised: readonly string[]): readonly string[] {
  const named = listenHosts.filter((host) => !everywhere.has(host))
  const all = listenHosts.some((host) => everywhere.has(host)) ? addressesOfThisMachine() : []
  return [...new Set(['localhost', '127.0.0.1', '::1', hostname(), ...named, ...all, ...advertised])]
}

/** Link-local addresses are left out: clients name them with an interface, which no certificate can. */
const addressesOfThisMachine = (): readonly string[] =>
  Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .map(({ address }) => address)
    .filter((address) => !address.startsWith('fe80:'))
