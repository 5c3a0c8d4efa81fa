import type { CancelTimer, Clock } from '@berth/shared/clock.ts'
import type { Log } from '@berth/shared/log.ts'
import { type CertificateAuthority, serverCertificateLifetimeMs } from './certificate-authority.ts'
import type { KeyedCertificate } from './issue-certificate.ts'

/** How often it is looked whether another control plane has rotated the CA, in ms. */
const lookEveryMs = 10_000

/** What a control plane proves itself with, and whom it trusts; both PEM. */
export interface IdentityNow extends KeyedCertificate {
  /** The roots that hosts' certificates must come from. */
  readonly ca: string
}

/** A control plane's own certificate, made anew before it runs out and when the CA is rotated. */
export interface ControlPlaneIdentity {
  now(): IdentityNow
  /** Calls `listener` whenever there is another one. */
  onChange(listener: (identity: IdentityNow) => void): void
  /** Looks whether the CA was rotated, now. @throws StoreUnavailableError */
  refresh(): Promise<void>
  stop(): void
}

export interface ControlPlaneIdentityDeps {
  readonly ca: CertificateAuthority
  /** Names and addresses that clients of the API call it by. */
  readonly names: readonly string[]
  readonly clock: Clock
  readonly log: Log
}

export async function controlPlaneIdentity(deps: ControlPlaneIdentityDeps): Promise<ControlPlaneIdentity> {
  const { ca, names, clock, log } = deps
  const listeners: ((identity: IdentityNow) => void)[] = []
  const make = async () => ({
    identity: { ...(await ca.certifyServer(names)), ca: ca.bundle() },
    hash: ca.hash(),
    madeAt: clock.now(),
  })
  let current = await make()
  let cancel: CancelTimer = () => {}
  let isStopped = false

  const isDue = () =>
    ca.hash() !== current.hash ||
    ca.bundle() !== current.identity.ca ||
    clock.now() - current.madeAt >= serverCertificateLifetimeMs / 2
  const refresh = async () => {
    await ca.refresh()
    if (!isDue()) return
    current = await make()
    log.info('this control plane has a new certificate')
    for (const listener of listeners) listener(current.identity)
  }
  const look = () => {
    cancel = clock.after(lookEveryMs, () => {
      refresh()
        .catch((error: unknown) => log.debug('the CA cannot be looked at', { error }))
        .finally(() => {
          if (!isStopped) look()
        })
    })
  }
  look()

  return {
    now: () => current.identity,
    onChange: (listener) => void listeners.push(listener),
    refresh,
    stop() {
      isStopped = true
      cancel()
    },
  }
}
