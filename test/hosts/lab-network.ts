import type { LabSlot } from './lab-slot.ts'
import { tool, tryTool } from './tool.ts'

/** Which way packets are lost, as the member sees it. */
export type Direction = 'in' | 'out'

/** One machine on the lab's network, and what can befall its cable. */
export interface NetworkMember {
  readonly name: string
  readonly namespace: string
  readonly address: string
  /** Takes the link down at the switch: nothing comes or goes. */
  unplug(): Promise<void>
  plugIn(): Promise<void>
  /** Loses packets one way without a word, as a wrong firewall rule does; those of one other member only, if given. */
  drop(direction: Direction, other?: NetworkMember): Promise<void>
  /** Lets at most so many kbit a second through, out of the member. */
  slowDown(kbit: number): Promise<void>
  /** Undoes all of the above. */
  heal(): Promise<void>
}

/** An own network: a switch in a namespace of its own, where no rule of the machine's Docker engine reaches. */
export interface LabNetwork {
  /** A further machine; `last` is the last number of its address. */
  join(name: string, last: number): Promise<NetworkMember>
}

const chain = 'BERTH-LAB'

/** Makes the switch. The process that asks is on the network as well, at the slot's address 1. */
export async function labNetwork(slot: LabSlot): Promise<LabNetwork> {
  const hub = `${slot.prefix}-switch`
  await tool('ip', 'netns', 'add', hub)
  await tool('ip', '-n', hub, 'link', 'add', 'br0', 'type', 'bridge')
  await tool('ip', '-n', hub, 'link', 'set', 'br0', 'up')
  const outside = `${slot.prefix}root`
  await tool('ip', 'link', 'add', 'name', outside, 'type', 'veth', 'peer', 'name', 'root', 'netns', hub)
  await tool('ip', '-n', hub, 'link', 'set', 'root', 'master', 'br0', 'up')
  await tool('ip', 'addr', 'add', `${slot.address(1)}/24`, 'dev', outside)
  await tool('ip', 'link', 'set', outside, 'up')
  return {
    async join(name, last) {
      const namespace = `${slot.prefix}-${name}`
      await tool('ip', 'netns', 'add', namespace)
      await tool(
        'ip',
        'link',
        'add',
        'name',
        'eth0',
        'netns',
        namespace,
        'type',
        'veth',
        'peer',
        'name',
        name,
        'netns',
        hub,
      )
      await tool('ip', '-n', hub, 'link', 'set', name, 'master', 'br0', 'up')
      const address = slot.address(last)
      await tool('ip', '-n', namespace, 'addr', 'add', `${address}/24`, 'dev', 'eth0')
      await tool('ip', '-n', namespace, 'link', 'set', 'lo', 'up')
      await tool('ip', '-n', namespace, 'link', 'set', 'eth0', 'up')
      return member(name, namespace, address, hub)
    },
  }
}

/** The arguments by which a program is run in a network namespace. `ip netns exec` would hide the control groups. */
export const inNamespace = (namespace: string): readonly string[] => [
  'nsenter',
  `--net=/var/run/netns/${namespace}`,
  '--',
]

function member(name: string, namespace: string, address: string, hub: string): NetworkMember {
  const iptables = (...args: readonly string[]) => ['iptables', '--wait', ...args]
  const inside = (args: readonly string[]) => {
    const [program = '', ...rest] = [...inNamespace(namespace), ...args]
    return tool(program, ...rest)
  }
  let hasChains = false
  const makeChains = async () => {
    if (hasChains) return
    hasChains = true
    for (const direction of ['INPUT', 'OUTPUT']) {
      await inside(iptables('-N', `${chain}-${direction}`))
      await inside(iptables('-I', direction, '-j', `${chain}-${direction}`))
    }
  }
  return {
    name,
    namespace,
    address,
    async unplug() {
      await tool('ip', '-n', hub, 'link', 'set', name, 'down')
    },
    async plugIn() {
      await tool('ip', '-n', hub, 'link', 'set', name, 'up')
    },
    async drop(direction, other) {
      await makeChains()
      const [at, device, end] = direction === 'in' ? ['INPUT', '-i', '-s'] : ['OUTPUT', '-o', '-d']
      const which = other === undefined ? [] : [end, other.address]
      await inside(iptables('-A', `${chain}-${at}`, device, 'eth0', ...which, '-j', 'DROP'))
    },
    async slowDown(kbit) {
      await tryTool('tc', '-n', namespace, 'qdisc', 'del', 'dev', 'eth0', 'root')
      const rate = ['rate', `${kbit}kbit`, 'burst', '4kb', 'latency', '500ms']
      await tool('tc', '-n', namespace, 'qdisc', 'add', 'dev', 'eth0', 'root', 'tbf', ...rate)
    },
    async heal() {
      await tool('ip', '-n', hub, 'link', 'set', name, 'up')
      await tryTool('tc', '-n', namespace, 'qdisc', 'del', 'dev', 'eth0', 'root')
      if (!hasChains) return
      for (const direction of ['INPUT', 'OUTPUT']) await inside(iptables('-F', `${chain}-${direction}`))
    },
  }
}
