import { describe, expect, it } from 'vitest'
import { type PortClaim, describePort, onEveryAddress, portsClash } from './demand.ts'
import { HostPorts, claimsClashAmongThemselves } from './host-ports.ts'

const tcp = (port: number, hostIp?: string): PortClaim => ({
  port,
  protocol: 'tcp',
  ...(hostIp !== undefined && { hostIp }),
})
const udp = (port: number): PortClaim => ({ port, protocol: 'udp' })

describe('two claims on ports', () => {
  it.each<[PortClaim, PortClaim, boolean]>([
    [tcp(80), tcp(80), true],
    [tcp(80), tcp(81), false],
    [tcp(80), udp(80), false],
    [tcp(80), tcp(80, '10.0.0.1'), true],
    [tcp(80, '10.0.0.1'), tcp(80), true],
    [tcp(80, '10.0.0.1'), tcp(80, '10.0.0.1'), true],
    [tcp(80, '10.0.0.1'), tcp(80, '10.0.0.2'), false],
    [tcp(80, '0.0.0.0'), tcp(80, '10.0.0.2'), true],
    [tcp(80, '10.0.0.2'), tcp(80, '::'), true],
    [tcp(80, ''), tcp(80, '10.0.0.2'), true],
  ])('%j and %j: %s', (a, b, clash) => {
    expect(portsClash(a, b)).toBe(clash)
    expect(claimsClashAmongThemselves([a, tcp(1), b])).toBe(clash)
    const ports = new HostPorts()
    ports.take(a, 't1')
    expect(ports.holderAgainst(b)).toEqual(clash ? { claim: a, taskId: 't1' } : undefined)
    ports.free(a, 't1')
    expect(ports.holderAgainst(b)).toBeUndefined()
  })

  it('are said as they are written', () => {
    expect([tcp(80), udp(53), tcp(80, '0.0.0.0'), tcp(80, '10.0.0.1')].map(describePort)).toEqual([
      '80/tcp',
      '53/udp',
      '80/tcp',
      '10.0.0.1:80/tcp',
    ])
    expect([undefined, '', '0.0.0.0', '::', '127.0.0.1'].map(onEveryAddress)).toEqual([true, true, true, true, false])
  })

  it('of one task do not clash with themselves', () => {
    expect(claimsClashAmongThemselves([tcp(80)])).toBe(false)
    expect(claimsClashAmongThemselves([tcp(80), udp(80), tcp(81)])).toBe(false)
  })
})

describe('the ports of a host', () => {
  const range = { first: 10, last: 14 }
  const none = new Set<number>()

  it('are freed by who took them, on the address that was taken, and by nobody else', () => {
    const ports = new HostPorts()
    ports.take(tcp(80, '10.0.0.1'), 'a')
    ports.take(tcp(80, '10.0.0.2'), 'a')
    ports.take(tcp(22), undefined)
    ports.free(tcp(80, '10.0.0.1'), 'b')
    ports.free(tcp(80), 'a')
    ports.free(tcp(81), 'a')
    expect(ports.holderAgainst(tcp(80, '10.0.0.1'))?.taskId).toBe('a')
    ports.free(tcp(80, '10.0.0.2'), 'a')
    expect(ports.holderAgainst(tcp(80, '10.0.0.2'))).toBeUndefined()
    expect(ports.holderAgainst(tcp(80))?.claim.hostIp).toBe('10.0.0.1')
    expect(ports.holderAgainst(tcp(22))).toEqual({ claim: tcp(22), taskId: undefined })
  })

  it('that are dynamic are those that nobody has in either protocol, from behind the last one on', () => {
    const ports = new HostPorts()
    ports.take(tcp(11), 'a')
    ports.take(udp(13), 'a')
    expect(ports.freePorts(range, 9, none)).toEqual([10, 12, 14])
    expect(ports.freePorts(range, 2, none)).toEqual([10, 12])
    expect(ports.freePorts(range, 2, new Set([12]))).toEqual([10, 14])
    expect(ports.freePorts(range, 0, none)).toEqual([])
    ports.restPort(range, 12)
    expect(ports.freePorts(range, 9, none)).toEqual([14, 10, 12])
    ports.restPort(range, 14)
    expect(ports.freePorts(range, 9, none)).toEqual([10, 12, 14])
    for (const outside of [9, 15, 8]) ports.restPort(range, outside)
    expect(ports.freePorts(range, 1, none)).toEqual([10])
    ports.restPort(range, 10)
    ports.free(tcp(11), 'a')
    expect(ports.freePorts(range, 9, none)).toEqual([11, 12, 14, 10])
  })
})
