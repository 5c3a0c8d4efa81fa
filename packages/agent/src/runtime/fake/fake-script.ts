import { type Random, randomBelow, randomFloat } from '@berth/shared/random.ts'
import type { ContainerCreate } from '../container-runtime.ts'

/** A duration in ms, or a range that one is drawn from each time. */
export type FakeDuration = number | readonly [number, number]

/** What a container does, from its creation to its end. */
export interface FakeProgram {
  readonly createMs: FakeDuration
  readonly startMs: FakeDuration
  /** Why it cannot be started; empty for a container that can. */
  readonly startError: string
  /** How long it runs when nobody stops it; `Infinity` for ever. */
  readonly runMs: FakeDuration
  readonly exitCode: number
  readonly oomKilled: boolean
  /** How likely a run ends early, with exit code 1, at a moment within `crashWithinMs`: from 0 to 1. */
  readonly crashRate: number
  readonly crashWithinMs: number
  /** From the stop signal to its end; `Infinity` for one that lets the signal pass. */
  readonly stopMs: FakeDuration
  readonly stopExitCode: number
  /** From its start to HEALTHY; `Infinity` for never. Counts only where it has a health check. */
  readonly healthyAfterMs: FakeDuration
}

/** What pulling an image is like. */
export interface FakeImage {
  readonly pullMs: FakeDuration
  /** Why it cannot be pulled; empty for one that can. */
  readonly pullError: string
  /** Whether it comes from a registry, and so has a digest that a deployment can pin; one that was made on the host has none. */
  readonly hasDigest: boolean
}

/** What happens in a fake world: looked up for each pull and each container. */
export interface FakeScript {
  image(reference: string): Partial<FakeImage>
  /** `reference` is the name of the image that the container is made of. */
  program(container: ContainerCreate, reference: string): Partial<FakeProgram>
}

/** About what a small container takes in Docker on a quick machine: 15 ms to create, 150 ms to start. */
export const quietProgram: FakeProgram = {
  createMs: [10, 20],
  startMs: [100, 200],
  startError: '',
  runMs: Infinity,
  exitCode: 0,
  oomKilled: false,
  crashRate: 0,
  crashWithinMs: 60_000,
  stopMs: [20, 100],
  stopExitCode: 0,
  healthyAfterMs: 1000,
}

export const quietImage: FakeImage = { pullMs: [50, 500], pullError: '', hasDigest: false }

const labelPrefix = 'berth.fake.'

/**
 * A script by the names of images, overridden by each container's own labels `berth.fake.<member>`, such as
 * `berth.fake.runMs: 2000`. An image of no row is quiet.
 */
export function fakeScript(
  images: Readonly<
    Record<string, { readonly image?: Partial<FakeImage>; readonly program?: Partial<FakeProgram> }>
  > = {},
): FakeScript {
  const programs = new Map<string, Partial<FakeProgram>>()
  for (const [reference, { program }] of Object.entries(images)) if (program) programs.set(reference, program)
  return {
    image: (reference) => images[reference]?.image ?? {},
    program: (container, reference) => ({ ...programs.get(reference), ...labelledProgram(container.labels) }),
  }
}

function labelledProgram(labels: Readonly<Record<string, string>>): Partial<FakeProgram> {
  const members = Object.entries(labels)
    .filter(([label]) => label.startsWith(labelPrefix))
    .map(([label, value]) => [label.slice(labelPrefix.length), labelValue(value)])
  return Object.fromEntries(members) as Partial<FakeProgram>
}

function labelValue(value: string): string | number | boolean {
  if (value === 'true' || value === 'false') return value === 'true'
  const number = Number(value)
  return value === '' || Number.isNaN(number) ? value : number
}

/** Draws a duration, in ms. */
export function drawDuration(duration: FakeDuration, random: Random): number {
  if (typeof duration === 'number') return duration
  const [least, most] = duration
  return least + randomBelow(random, most - least + 1)
}

/** How one run of a program ends when nobody stops it: after how long, in ms, and how. */
export function drawRun(
  program: FakeProgram,
  random: Random,
): { afterMs: number; exitCode: number; oomKilled: boolean } {
  if (program.crashRate > 0 && randomFloat(random) < program.crashRate)
    return { afterMs: randomBelow(random, program.crashWithinMs) + 1, exitCode: 1, oomKilled: false }
  const { exitCode, oomKilled } = program
  return { afterMs: drawDuration(program.runMs, random), exitCode, oomKilled }
}
