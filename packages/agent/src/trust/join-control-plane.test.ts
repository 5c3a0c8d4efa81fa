import { expect, test } from 'vitest'
import { reachableServers } from './join-control-plane.ts'

test.each([
  ['called by the address where it was reached', ['10.0.0.1:4567'], ['10.0.0.1:4567']],
  ['that listens on all addresses', ['0.0.0.0:4567'], ['10.0.0.1:4567']],
  ['that listens on all addresses of IPv6, too', ['[::]:4567'], ['10.0.0.1:4567']],
  ['called by a name that may mean nothing here', ['cp:4567'], ['10.0.0.1:4567', 'cp:4567']],
  ['of several', ['cp-1:4567', 'cp-2:4567'], ['10.0.0.1:4567', 'cp-1:4567', 'cp-2:4567']],
])('a control plane %s is looked for where its API was first', (_, servers, tried) => {
  expect(reachableServers(servers, '10.0.0.1')).toEqual(tried)
})
