import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import type { ArnScope } from '@berth/shared/arn.ts'
import type { Clock } from '@berth/shared/clock.ts'
import type { Log } from '@berth/shared/log.ts'
import { controlPlaneServerName } from '@berth/shared/host-trust.ts'
import { type Random, randomHex } from '@berth/shared/random.ts'
import { readAccessKeys } from './access-keys.ts'
import { berthService } from './api/berth/berth-service.ts'
import { ecsHandlers } from './api/ecs/ecs-handlers.ts'
import { ecsService } from './api/ecs-service.ts'
import { storeUnavailable } from './api/errors.ts'
import { forwarding, UnknownOutcomeError } from './api/forwarding.ts'
import { leaderRequests } from './api/leader-request.ts'
import { createApiServer } from './api/server.ts'
import { CellClosedError, CellNotLedError } from './cell/cell.ts'
import { type CellComponent, Leadership } from './cell/leadership.ts'
import type { ListenAddress } from './config/control-plane-kinds.ts'
import type { ControlPlaneConfig } from './config/control-plane-settings.ts'
import { agentsUseTls } from './config/tls-modes.ts'
import { type ControlPlaneDeps, defaultControlPlaneSettings } from './control-plane-deps.ts'
import { daemonController } from './controllers/daemons.ts'
import { lostHostsController } from './controllers/lost-hosts.ts'
import { restingInQuarantine } from './controllers/quarantine.ts'
import { reaperController } from './controllers/reaper.ts'
import { rebalanceController } from './controllers/rebalance.ts'
import { serviceController } from './controllers/services.ts'
import { taskSetController } from './controllers/task-sets.ts'
import { taskQueueController } from './controllers/task-queue.ts'
import { ensureDefaultCluster } from './default-cluster.ts'
import { Dispatcher } from './dispatch/dispatcher.ts'
import { listenForAgents } from './dispatch/grpc-gateway.ts'
import { takeHolderFile } from './holder-file.ts'
import { allAccessKeys, apiTls, startTrust } from './start-trust.ts'
import { redisStore } from './store/redis/redis-store.ts'
import { watchedStore } from './store/store-presence.ts'
import { storeReturnNews, storeReturnNotice } from './store-return-notice.ts'
import { type LeaderAddresses, type Store, StoreUnavailableError } from './store/store.ts'
import type { ResourceStores } from './task-resources/container-resources.ts'
import { environmentFileStore } from './task-resources/environment-file-store.ts'
import { fileSecretStore, noSecretStore } from './task-resources/file-secret-store.ts'
import { rateLimit } from './trust/rate-limit.ts'

/** How much of the lease one answer of Redis may take before it counts as gone, and how long at least, in ms: a renewal after that comes in time still. */
const silentShareOfLease = 0.4
const silentAtLeastMs = 2000

/** Failures after which the same request may succeed, here or at another control plane. */
const retriable = [StoreUnavailableError, CellClosedError, UnknownOutcomeError]
/** An operation's own deadline, and room for the way, in ms. */
const answerWithinMs = 35_000

export interface ControlPlaneSeams {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** What tests put around the boundary to the store. */
  readonly aroundStore?: (store: Store) => Store
  /** The version of the agents' protocol that tests have it speak. */
  readonly protocolVersion?: number
}

export interface RunningControlPlane {
  readonly apiPort: number
  readonly agentPort: number
  /** Ends everything in order and gives the lease back. */
  stop(): Promise<void>
}

/** Wires the rooms of one control-plane process together and starts them. It leads its cell as soon as the lease is free. */
export async function startControlPlane(
  config: ControlPlaneConfig,
  { clock, random, log, aroundStore = (store) => store, protocolVersion }: ControlPlaneSeams,
): Promise<RunningControlPlane> {
  const keysOfFile = await readAccessKeys(config.accessKeysFile, config.account, log)
  const scope: ArnScope = { partition: 'aws', region: config.region, account: config.account }
  const redisCa = config.redisCa === undefined ? undefined : await readFile(config.redisCa, 'utf8')
  const redis = { ...config.redisUrl, ...(redisCa !== undefined && { ca: redisCa }) }
  const { store, away: storeAway } = watchedStore(
    aroundStore(
      redisStore({
        address: redis,
        cell: config.cell,
        random,
        log,
        waitReplicas: config.redisReplicas,
        commandTimeoutMs: Math.max(silentAtLeastMs, config.leaseMs * silentShareOfLease),
      }),
    ),
  )
  const defer = (run: () => void) => void setImmediate(run)
  const settings = { ...config, restartThrottle: defaultControlPlaneSettings.restartThrottle }
  const resources: ResourceStores = {
    secrets: config.secretsFile === undefined ? noSecretStore : fileSecretStore(config.secretsFile, log),
    environmentFiles: environmentFileStore(config.environmentFiles, clock),
  }
  let dispatcher: Dispatcher | undefined

  // Both listen before it is known where they do, and so before this process can ask for the lease.
  let leadership: Leadership | undefined
  const leads = () => leadership?.leading === true
  const cell = () => {
    if (leadership === undefined) throw new CellNotLedError()
    return leadership.currentCell()
  }
  const deps: ControlPlaneDeps = { cell, clock, random, log, scope, settings }
  const components: readonly CellComponent[] = [
    { name: 'default cluster', start: (cell) => ensureDefaultCluster(cell, deps), stop: () => {} },
    storeReturnNotice(deps, () => leadership?.takeStoreWentBack() === true),
    ...[
      lostHostsController({ ...deps, defer }),
      serviceController({ ...deps, defer }),
      daemonController({ ...deps, defer }),
      taskSetController({ ...deps, defer }),
      taskQueueController({ ...deps, defer }),
      rebalanceController({ ...deps, defer }),
    ].map((controller) => restingInQuarantine(controller, deps)),
    reaperController(deps),
    {
      name: 'dispatch',
      start(cell) {
        dispatcher = new Dispatcher(
          {
            ...deps,
            defer,
            authenticate: (token) => config.agentToken === '' || token === config.agentToken,
            heartbeatIntervalMs: config.heartbeatMs,
            raiseAbove: (epoch) => leadership?.raiseAbove(epoch),
            resources,
            ...(protocolVersion !== undefined && { protocolVersion }),
          },
          cell,
        )
        dispatcher.start()
      },
      stop() {
        dispatcher?.stop('this control plane does not lead any more')
        dispatcher = undefined
      },
    },
  ]

  let addresses: LeaderAddresses | undefined
  const agentServers = () => [...new Set([addresses?.agents ?? '', leadership?.leader()?.agents ?? ''])].filter(Boolean)
  const trust = await startTrust(config, { clock, random, log, redis, cell, agentServers })
  const tls = await apiTls(config, trust)
  const requests = leaderRequests({
    clock,
    ...(trust && { knownBy: () => ({ servername: controlPlaneServerName, ca: trust.identity.now().ca }) }),
  })
  const leaderElsewhere = () => {
    const leader = leads() ? undefined : leadership?.leader()
    return leader === undefined || leader.agents === addresses?.agents ? undefined : leader
  }
  const api = createApiServer({
    services: [ecsService(ecsHandlers(deps)), berthService(deps, trust?.operations)],
    credentials: allAccessKeys(keysOfFile, { cell, account: config.account, trust }),
    clock,
    random,
    log,
    translate: (error) => (retriable.some((kind) => error instanceof kind) ? storeUnavailable(error) : undefined),
    forwarding: forwarding({
      leading: leads,
      leaderApi: () => leaderElsewhere()?.api || undefined,
      requests,
      storeAway,
      clock,
      log,
      patienceMs: 2 * config.leaseMs,
      answerWithinMs,
    }),
    health: () => ({
      ready: leads() || leaderElsewhere() !== undefined,
      leading: leads(),
      // For a balancer: others may lead, or come to lead, and this process would not hear of it.
      ...(!leads() && storeAway() && { cutOff: true }),
      hosts: dispatcher?.connectedHosts ?? 0,
      ...storeReturnNews(leadership, clock),
    }),
    ...(trust && { unsigned: trust.unsigned }),
    ...(tls && { options: { tls: tls.options } }),
  })
  tls?.onChange((renewed) => api.renewCertificate(renewed))
  const proven = agentsUseTls(config) ? trust : undefined
  const gateway = await listenForAgents({
    ...config.agentListen,
    ...(proven && {
      identity: proven.identity.now(),
      renewCertificate: (csr, host) => proven.joins.renew(csr, host),
    }),
    limits: {
      maxMessageBytes: config.agentMaxMessageMib * 1024 * 1024,
      maxStreams: config.agentMaxStreams,
      maxConnections: config.agentMaxConnections,
      maxConnectionAgeMs: config.agentConnectionAgeMs,
    },
    mayConnect: rateLimit(clock, { perSecond: config.agentConnectionRate, burst: 3 * config.agentConnectionRate }),
    messageLimit: () => rateLimit(clock, { perSecond: config.agentMessageRate, burst: 3 * config.agentMessageRate }),
    dispatcher: () => dispatcher,
    leaderAddress: () => leaderElsewhere()?.agents ?? '',
    clock,
    log,
  })
  proven?.identity.onChange((identity) => gateway.renew(identity))
  const { port: apiPort } = await api.listen(config.listen.port, config.listen.host)
  addresses = {
    api: config.advertiseApi ?? `${tls ? 'https' : 'http'}://${reachableAt(config.listen, apiPort)}`,
    agents: config.advertise ?? reachableAt(config.agentListen, gateway.port),
  }
  const holder = `${hostname()}-${process.pid}-${randomHex(random, 8)}`
  const predecessor = config.holderFile === undefined ? undefined : takeHolderFile(config.holderFile, holder)
  leadership = new Leadership({
    store,
    holder,
    addresses,
    ...(predecessor !== undefined && { predecessor }),
    ttlMs: config.leaseMs,
    components,
    clock,
    random,
    log,
    defer,
  })
  void leadership.start()
  log.info('control plane listens', { api: apiPort, agents: gateway.port, cell: config.cell })

  return {
    apiPort,
    agentPort: gateway.port,
    async stop() {
      await api.close()
      requests.close()
      await leadership?.stop()
      await gateway.close()
      trust?.stop()
      await store.close()
    },
  }
}

/** Where others reach what listens on this address: on all addresses of the machine, by the machine's name. */
function reachableAt({ host }: ListenAddress, port: number): string {
  const name = ['', '0.0.0.0', '::'].includes(host) ? hostname() : host
  return `${name.includes(':') ? `[${name}]` : name}:${port}`
}
