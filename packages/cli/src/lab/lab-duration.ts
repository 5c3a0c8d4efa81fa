import { z } from 'zod'

const msOfUnit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const

/** A duration as people write it, `250ms`, `30s`, `5m`, in ms. */
export const duration = z
  .string()
  .regex(/^\d+(\.\d+)?(ms|s|m|h)$/, 'must be a duration such as 250ms, 30s or 5m')
  .transform((text) => {
    const [, number, unit] = /^([\d.]+)(ms|s|m|h)$/.exec(text) ?? []
    return Math.round(Number(number) * msOfUnit[unit as keyof typeof msOfUnit])
  })

/** A duration, or two between which one is drawn each time. */
export const durationOrRange = z.union(
  [
    duration,
    z
      .tuple([duration, duration])
      .refine(([least, most]) => least <= most, 'must begin with the shorter one')
      .readonly(),
  ],
  'must be a duration such as 250ms, or two as [1s, 5s]',
)

/** How long a container runs: `forever`, or as `durationOrRange`. */
export const runTime = z.union(
  [z.literal('forever').transform(() => Infinity), durationOrRange],
  'must be forever, a duration such as 30s, or two as [1s, 5s]',
)
