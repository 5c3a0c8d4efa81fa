import { isCustomResourceName } from '@berth/shared/custom-resource-name.ts'

/** Before a resource's name in a Docker label, as `berth.resource/fpga`: its value says how many a container needs. */
const labelPrefix = 'berth.resource/'

/** Integer resources by name, beyond CPU, memory, ports, GPUs and network interfaces. */
export type CustomResources = Readonly<Record<string, number>>

/** What containers with these Docker labels ask for together; a label that asks for nothing that can be is passed over. */
export function resourcesAskedBy(
  labels: Iterable<readonly [name: string, value: string]>,
): CustomResources | undefined {
  const asked = new Map<string, number>()
  for (const [label, value] of labels) {
    if (!label.startsWith(labelPrefix) || faultOfResourceLabel(label, value) !== undefined) continue
    const name = label.slice(labelPrefix.length)
    asked.set(name, (asked.get(name) ?? 0) + Number(value))
  }
  return asked.size === 0 ? undefined : Object.fromEntries(asked)
}

/** Why a Docker label that begins as one of a resource is none, in a sentence; nothing for any other label. */
export function faultOfResourceLabel(label: string, value: string): string | undefined {
  if (!label.startsWith(labelPrefix)) return undefined
  const name = label.slice(labelPrefix.length)
  if (!isCustomResourceName(name)) return `'${name}' cannot be the name of a resource.`
  return /^[1-9]\d{0,8}$/.test(value) ? undefined : `The amount of '${name}' must be a positive integer.`
}
