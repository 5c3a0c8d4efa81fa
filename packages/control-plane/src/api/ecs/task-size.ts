import { clientException } from '../errors.ts'

/** Task-level CPU on EC2: an eighth of a core up to 192 cores, in CPU units. */
const ec2CpuUnits = { min: 128, max: 196_608 } as const

const troubleshooting = 'For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.'

/**
 * CPU units of a task-level `cpu`: `256`, or `.25 vCPU`.
 *
 * @throws ClientException `Invalid 'cpu' setting for task. ...`
 */
export function parseTaskCpu(text: string): number {
  const units = parseAmount(text, /^(\d*\.?\d+)\s*vcpus?$/i, 1024)
  if (units === undefined || units < ec2CpuUnits.min || units > ec2CpuUnits.max)
    throw clientException(`Invalid 'cpu' setting for task. ${troubleshooting}`)
  return units
}

/**
 * MiB of a task-level `memory`: `512`, or `0.5GB`.
 *
 * @throws ClientException `Invalid 'memory' setting for task. ...`
 */
export function parseTaskMemory(text: string): number {
  const mib = parseAmount(text, /^(\d*\.?\d+)\s*gb$/i, 1024)
  if (mib === undefined || mib < 1 || mib > 2 ** 31 - 1)
    throw clientException(`Invalid 'memory' setting for task. ${troubleshooting}`)
  return mib
}

/** A whole number of the small unit, or a decimal one of the large; `undefined` for what is neither, or has a rest. */
function parseAmount(text: string, large: RegExp, factor: number): number | undefined {
  const trimmed = text.trim()
  if (/^\d{1,10}$/.test(trimmed)) return Number(trimmed)
  const amount = Number(large.exec(trimmed)?.[1] ?? Number.NaN) * factor
  return Number.isInteger(amount) ? amount : undefined
}

interface FargateSize {
  /** CPU units. */
  readonly cpu: number
  /** MiB: each multiple of `step` from `min` to `max`, and `also`. */
  readonly min: number
  readonly max: number
  readonly step: number
  readonly also?: number
}

const gib = 1024

/** The sizes that FARGATE offers, as the developer guide lists them. */
export const fargateSizes: readonly FargateSize[] = [
  { cpu: 256, min: gib, max: 2 * gib, step: gib, also: 512 },
  { cpu: 512, min: gib, max: 4 * gib, step: gib },
  { cpu: 1024, min: 2 * gib, max: 8 * gib, step: gib },
  { cpu: 2048, min: 4 * gib, max: 16 * gib, step: gib },
  { cpu: 4096, min: 8 * gib, max: 30 * gib, step: gib },
  { cpu: 8192, min: 16 * gib, max: 60 * gib, step: 4 * gib },
  { cpu: 16_384, min: 32 * gib, max: 120 * gib, step: 8 * gib },
]

/** Whether FARGATE offers this pair of CPU units and MiB. */
export function isFargateSize(cpu: number, memoryMib: number): boolean {
  const size = fargateSizes.find((size) => size.cpu === cpu)
  if (size === undefined) return false
  if (memoryMib === size.also) return true
  return memoryMib >= size.min && memoryMib <= size.max && (memoryMib - size.min) % size.step === 0
}
