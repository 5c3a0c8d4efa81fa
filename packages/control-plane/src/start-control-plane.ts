import { ServerCredentials } from '@grpc/grpc-js'
import { hostname } from 'node:os'
import type { ArnScope } from '@berth/shared/arn.ts'
import type { Clock } from '@berth/shared/clock.ts'
import type { Log } from '@berth/shared/log.ts'
import { type Random, randomHex } from '@berth/shared/random.ts'
import { readAccessKeys } from './access-keys.ts'
import { berthService } from './api/berth/berth-service.ts'
import { ecsHandlers } from './api/ecs/ecs-handlers.ts'
import { ecsService } from './api/ecs-service.ts'
import { createApiServer } from './api/server.ts'
import { storeUnavailable } from './api/errors.ts'
import { CellClosedError } from './cell/cell.ts'
import { type CellComponent, Leadership } from './cell/leadership.ts'
import type { ControlPlaneConfig } from './config/control-plane-settings.ts'
import { type ControlPlaneDeps, defaultControlPlaneSettings } from './control-plane-deps.ts'
import { daemonController } from './controllers/daemons.ts'
import { lostHostsController } from './controllers/lost-hosts.ts'
import { reaperController } from './controllers/reaper.ts'
import { serviceController } from './controllers/services.ts'
import { ensureDefaultCluster } from './default-cluster.ts'
import { Dispatcher } from './dispatch/dispatcher.ts'
import { listenForAgents } from './dispatch/grpc-gateway.ts'
import { redisStore } from './store/redis/redis-store.ts'
import { StoreUnavailableError } from './store/store.ts'

export interface ControlPlaneSeams {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
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
  { clock, random, log }: ControlPlaneSeams,
): Promise<RunningControlPlane> {
  const credentials = await readAccessKeys(config.accessKeysFile, config.account, log)
  const scope: ArnScope = { partition: 'aws', region: config.region, account: config.account }
  const store = redisStore({
    address: { url: config.redisUrl },
    cell: config.cell,
    random,
    log,
    waitReplicas: config.redisReplicas,
  })
  const defer = (run: () => void) => void setImmediate(run)
  const settings = { ...config, restartThrottle: defaultControlPlaneSettings.restartThrottle }
  let dispatcher: Dispatcher | undefined

  const deps: ControlPlaneDeps = { cell: () => leadership.currentCell(), clock, random, log, scope, settings }
  const components: readonly CellComponent[] = [
    { name: 'default cluster', start: (cell) => ensureDefaultCluster(cell, deps), stop: () => {} },
    lostHostsController({ ...deps, defer }),
    serviceController({ ...deps, defer }),
    daemonController({ ...deps, defer }),
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

  const api = createApiServer({
    services: [ecsService(ecsHandlers(deps)), berthService(deps)],
    credentials,
    clock,
    random,
    log,
    translate: (error) =>
      error instanceof StoreUnavailableError || error instanceof CellClosedError ? storeUnavailable(error) : undefined,
    health: () => ({
      ready: leadership.leading,
      leading: leadership.leading,
      hosts: dispatcher?.connectedHosts ?? 0,
    }),
  })
  const ownAddress = () => config.advertise ?? `${config.agentListen.host}:${gateway.port}`
  const gateway = await listenForAgents({
    address: `${config.agentListen.host}:${config.agentListen.port}`,
    credentials: ServerCredentials.createInsecure(),
    dispatcher: () => dispatcher,
    leaderAddress: () => (leadership.leader() === ownAddress() ? '' : (leadership.leader() ?? '')),
    clock,
    log,
  })
  const leadership = new Leadership({
    store,
    holder: `${hostname()}-${process.pid}-${randomHex(random, 8)}`,
    address: ownAddress(),
    ttlMs: config.leaseMs,
    components,
    clock,
    random,
    log,
    defer,
  })
  void leadership.start()
  const { port: apiPort } = await api.listen(config.listen.port, config.listen.host)
  log.info('control plane listens', { api: apiPort, agents: gateway.port, cell: config.cell })

  return {
    apiPort,
    agentPort: gateway.port,
    async stop() {
      await api.close()
      await leadership.stop()
      await gateway.close()
      await store.close()
    },
  }
}
