import { afterAll, afterEach, beforeAll } from 'vitest'
import { type Cluster, type ClusterOptions, startCluster } from './cluster.ts'
import { makeTestImages } from './test-images.ts'

/**
 * A cluster for the tests of one `describe`: started before the first, stopped after the last, and where one fails the ends of
 * all logs are shown.
 */
export function clusterForTests(options: ClusterOptions = {}): { readonly current: Cluster } {
  let cluster: Cluster | undefined
  const current = (): Cluster => {
    if (cluster === undefined) throw new Error('the cluster is not up')
    return cluster
  }
  beforeAll(async () => {
    await makeTestImages()
    cluster = await startCluster(options)
  })
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') console.error(current().logTails())
  })
  afterAll(async () => {
    await cluster?.stop()
  })
  return {
    get current() {
      return current()
    },
  }
}
