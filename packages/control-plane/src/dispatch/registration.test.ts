import { Hello } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { describe, expect, test } from 'vitest'
import { testControlPlane } from '../api/ecs/testing/test-control-plane.ts'
import type { HostRecord } from '../cell/records.ts'
import { clusterHandlers } from '../api/ecs/clusters.ts'
import { registerHost } from './registration.ts'

const hello = (more: Partial<Hello> = {}) =>
  Hello.fromPartial({
    protocolVersion: 1,
    cluster: 'default',
    hostId: 'machine-1',
    resources: { cpu: 2048, memoryMib: 4096, networkInterfaces: 10, reservedTcpPorts: [22] },
    attributes: [{ name: 'ecs.os-type', value: 'linux' }, { name: 'flag' }],
    engineHealthy: true,
    ...more,
  })

async function controlPlane() {
  const plane = testControlPlane()
  await clusterHandlers(plane.deps).CreateCluster?.({}, plane.context())
  const register = (more?: Partial<Hello>) => plane.cell.transact((tx) => registerHost(tx, hello(more), plane.deps))
  const registered = async (more?: Partial<Hello>): Promise<HostRecord> => {
    const outcome = await register(more)
    if (outcome.kind !== 'registered') throw new Error(outcome.message)
    return outcome.host
  }
  return { ...plane, register, registered }
}

describe('a host that joins', () => {
  test('is a container instance of its cluster, with what it has', async () => {
    const { registered, cell } = await controlPlane()
    const host = await registered()
    expect(host).toMatchObject({ cluster: 'default', status: 'ACTIVE', agentConnected: true, cpu: 2048, version: 1 })
    expect(host.arn).toBe(`arn:aws:ecs:us-east-1:123456789012:container-instance/default/${host.id}`)
    expect(host.attributes).toEqual([
      { name: 'ecs.os-type', value: 'linux', fromAgent: true },
      { name: 'flag', fromAgent: true },
    ])
    expect(cell.fleet.hosts.roomOn(host.id)).toMatchObject({ cpu: 2048, memory: 4096, enis: 10 })
  })

  test('has further resources by name, and may not call them as ECS calls its own', async () => {
    const { registered, register, cell } = await controlPlane()
    const resources = hello().resources as NonNullable<Hello['resources']>
    const host = await registered({ resources: { ...resources, custom: { fpga: 2 } } })
    expect(cell.fleet.hosts.roomOn(host.id)?.custom).toEqual(new Map([['fpga', 2]]))
    await registered({ resources: { ...resources, custom: { fpga: 3 } } })
    expect(cell.fleet.hosts.roomOn(host.id)?.custom).toEqual(new Map([['fpga', 3]]))
    for (const custom of [{ gpu: 1 }, { fpga: 0 }, { 'a b': 1 }]) {
      expect(await register({ resources: { ...resources, custom } })).toMatchObject({
        kind: 'refused',
        code: 'INVALID',
        message: expect.stringContaining(`'${Object.keys(custom)[0]}'`) as string,
      })
    }
  })

  test('stays the same container instance when it returns, and keeps what users put on it', async () => {
    const { registered, put } = await controlPlane()
    const first = await registered()
    const attributes = [...first.attributes, { name: 'rack', value: 'r1', fromAgent: false }]
    await put('hosts', first.id, { ...first, attributes, agentConnected: false, disconnectedAt: 1, lost: true })
    const again = await registered({
      containerInstanceArn: first.arn,
      resources: { ...hello().resources, cpu: 1024 } as never,
    })
    expect(again).toMatchObject({ id: first.id, agentConnected: true, lost: false, cpu: 1024, version: 2 })
    expect(again.disconnectedAt).toBeUndefined()
    expect(again.attributes).toContainEqual({ name: 'rack', value: 'r1', fromAgent: false })
  })

  test('is known by its own id, also when it forgot its ARN', async () => {
    const { registered } = await controlPlane()
    expect((await registered()).id).toBe((await registered()).id)
    expect((await registered({ hostId: 'machine-2' })).id).not.toBe((await registered()).id)
  })

  test.each([
    [{ cluster: 'nowhere' }, 'CLUSTER_NOT_FOUND'],
    [{ protocolVersion: 99 }, 'PROTOCOL_VERSION'],
    [{ protocolVersion: 0 }, 'PROTOCOL_VERSION'],
    [{ hostId: '' }, 'INVALID'],
    [{ resources: undefined }, 'INVALID'],
    [{ resources: { ...hello().resources, memoryMib: 0 } }, 'INVALID'],
    [{ resources: { ...hello().resources, cpu: 4_000_000_000 } }, 'INVALID'],
  ])('is refused with %o: %s', async (more, code) => {
    const { register } = await controlPlane()
    expect(await register(more as Partial<Hello>)).toMatchObject({ kind: 'refused', code })
  })

  test('is refused after it was deregistered, and when it means another cluster than before', async () => {
    const plane = await controlPlane()
    await clusterHandlers(plane.deps).CreateCluster?.({ clusterName: 'other' }, plane.context())
    const host = await plane.registered()
    expect(await plane.register({ cluster: 'other' })).toMatchObject({ kind: 'refused', code: 'INVALID' })
    await plane.put('hosts', host.id, { ...host, status: 'INACTIVE' })
    expect(await plane.register()).toMatchObject({ kind: 'refused', code: 'DEREGISTERED' })
  })
})
