import { CreateClusterCommand, DescribeClustersCommand, ECSClient, ListClustersCommand } from '@aws-sdk/client-ecs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ecsModel } from '@berth/control-plane/api/model/gen/ecs-model.ts'
import { randomBelow, seededRandom } from '@berth/shared/random.ts'
import { supportedOperations } from '../conformance/api-under-test.ts'
import { type DrawRequest, type FuzzRequest, fuzzRequest, fuzzRequests } from '../conformance/request-mutations.ts'
import { sendFuzz } from '../conformance/send-fuzz.ts'
import { validRequest } from '../conformance/valid-request.ts'
import { type ControlPlaneProcess, startControlPlaneProcess } from './control-plane-process.ts'
import { meaningfulRequest } from './meaningful-request.ts'

const seed = Number(process.env['BERTH_FUZZ_SEED'] ?? 20_261_124)
const count = 10_000
/** What a run may leave in memory, in MiB: the records that it made (definitions with texts of 70,000 characters), and what V8 has not given back. */
const growthMib = 150
// Those that Berth refuses take their turn, but are answered alike whatever comes.
const operations = [...Array.from({ length: 9 }, () => supportedOperations).flat(), ...Object.keys(ecsModel.operations)]

/** Requests that make what the later ones name: nothing is changed in them. */
function* groundwork(rounds: number): Generator<FuzzRequest> {
  const random = seededRandom(seed)
  for (let index = 0; index < rounds * supportedOperations.length; index++) {
    const operation = supportedOperations[index % supportedOperations.length] as string
    const body = JSON.stringify(meaningfulRequest(operation, random))
    yield { seed, index, operation, mutation: 'groundwork', body }
  }
}

/** Half of them know what is there, and half only the model. */
const modelOrMeaning: DrawRequest = (operation, random) =>
  randomBelow(random, 2) === 0 ? validRequest(operation, random) : meaningfulRequest(operation, random)

describe('a control plane under odd requests, with its real handlers and a real Redis', () => {
  let controlPlane: ControlPlaneProcess
  let client: ECSClient
  beforeAll(async () => {
    controlPlane = await startControlPlaneProcess()
    const { host, port, region, ...credentials } = controlPlane.endpoint
    client = new ECSClient({ endpoint: `http://${host}:${port}`, region, credentials, maxAttempts: 1 })
  })
  afterAll(async () => {
    client?.destroy()
    await controlPlane?.stop()
  })

  it(`answers ${count} of them with 2xx or a readable 4xx, never 5xx, never hangs, and holds no more memory after`, async () => {
    const laid = await sendFuzz(controlPlane.endpoint, groundwork(20))
    expect(laid.failures.slice(0, 10).join('\n'), controlPlane.logTail()).toBe('')
    expect(laid.taken, 'requests as they should be').toBeGreaterThan(laid.refused)
    const warmUp = await sendFuzz(controlPlane.endpoint, fuzzRequests(seed + 1, 2_000, operations, modelOrMeaning))
    expect(warmUp.failures.slice(0, 10).join('\n'), controlPlane.logTail()).toBe('')
    const before = controlPlane.residentMib()

    const { taken, refused, failures } = await sendFuzz(
      controlPlane.endpoint,
      fuzzRequests(seed, count, operations, modelOrMeaning),
    )

    const after = controlPlane.residentMib()
    console.log(`fuzz: ${taken} taken, ${refused} refused; ${before.toFixed(0)} MiB before, ${after.toFixed(0)} after`)
    expect(failures.slice(0, 10).join('\n'), controlPlane.logTail()).toBe('')
    expect(taken + refused).toBe(count)
    // Both must be plenty, or the run says little.
    expect(taken).toBeGreaterThan(count / 50)
    expect(refused).toBeGreaterThan(count / 4)
    expect(controlPlane.running).toBe(true)
    expect(after - before).toBeLessThan(growthMib)
  })

  it('answers them alike when each stands alone, as a replay of one does', async () => {
    const again = [0, 1, 2].map((index) => fuzzRequest(seed, index, operations, modelOrMeaning))
    expect((await sendFuzz(controlPlane.endpoint, again)).failures).toEqual([])
  })

  it('works as ever afterwards', async () => {
    await client.send(new CreateClusterCommand({ clusterName: 'after-the-storm' }))
    const { clusters } = await client.send(new DescribeClustersCommand({ clusters: ['after-the-storm'] }))
    expect(clusters?.[0]).toMatchObject({ clusterName: 'after-the-storm', status: 'ACTIVE' })
    const { clusterArns } = await client.send(new ListClustersCommand({}))
    expect(clusterArns).toContain(clusters?.[0]?.clusterArn)
  })

  it('has not polluted what all objects share', async () => {
    const { clusters } = await client.send(new DescribeClustersCommand({ clusters: ['after-the-storm'] }))
    expect(Object.keys(clusters?.[0] ?? {})).not.toContain('a')
  })
})
