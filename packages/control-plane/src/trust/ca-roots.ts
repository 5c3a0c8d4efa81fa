import { z } from 'zod'

const rootSchema = z.object({
  /** PEM. */
  certificate: z.string(),
  /** PKCS #8 in PEM, sealed for `caKeyContext`. */
  sealedKey: z.string(),
  /** The same root signed by the one before it, PEM. Absent for the first. */
  bridge: z.string().optional(),
  /** When it ceases to be trusted, in ms since the epoch; absent for the one that signs. */
  trustedUntil: z.number().optional(),
})

/** A root of the cell's CA. */
export type CaRoot = Readonly<z.infer<typeof rootSchema>>

const caRootsSchema = z.object({ version: z.literal(1), roots: z.array(rootSchema).min(1) })

/** The roots of a cell's CA, oldest first. The last one signs; those before it are trusted until all have gone over to it. */
export type CaRoots = Readonly<z.infer<typeof caRootsSchema>>

/** @throws Error for text that is none. */
export const parseCaRoots = (text: string): CaRoots => caRootsSchema.parse(JSON.parse(text))

/** What a root's key is sealed for. */
export const caKeyContext = 'the key of the certificate authority'

export const signingRoot = ({ roots }: CaRoots): CaRoot => roots.at(-1) as CaRoot

/** The roots that count at `now`, newest first. */
export const trustedRoots = ({ roots }: CaRoots, now: number): readonly CaRoot[] =>
  roots.filter(({ trustedUntil }) => trustedUntil === undefined || trustedUntil > now).reverse()

/**
 * `next` signs from now on, and those that did before are trusted for another `overlapMs` at most. What is not trusted any more
 * is forgotten, its key with it.
 */
export function withNextRoot(current: CaRoots, next: CaRoot, now: number, overlapMs: number): CaRoots {
  const until = now + overlapMs
  const before = trustedRoots(current, now)
    .map((root) => ({ ...root, trustedUntil: Math.min(root.trustedUntil ?? until, until) }))
    .reverse()
  return { version: 1, roots: [...before, next] }
}

/** What leads from the signing root to each older root that still counts: a host that knows only an old one can follow it. */
export const bridges = (current: CaRoots, now: number): readonly string[] => {
  const trusted = trustedRoots(current, now)
  return trusted.slice(0, -1).flatMap(({ bridge }) => (bridge === undefined ? [] : [bridge]))
}
