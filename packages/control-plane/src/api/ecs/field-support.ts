/** What Berth does with one member of a request. */
export type FieldSupport =
  /** Does what ECS documents. */
  | { readonly kind: 'works'; readonly note?: string; readonly refusedValues?: RefusedValues }
  /** Is kept and answered, and has nothing here that it could act on; `note` says why that is harmless. */
  | { readonly kind: 'kept'; readonly note: string; readonly refusedValues?: RefusedValues }
  | Refusal

/** Values that are refused though others are taken, each with the reason that ends the message. */
export type RefusedValues = Readonly<Record<string, string>>

/** Is refused when it is there and not empty. */
export interface Refusal {
  readonly kind: 'refused'
  /** Ends the message. */
  readonly why: string
  /** Where not all that is there asks for something: whether this does. */
  readonly asks?: (value: unknown) => boolean
  /** The message where ECS has one of its own, of an InvalidParameterException. */
  readonly ownMessage?: (value: unknown) => string
}

/** Whether a value asks for nothing, as if it were absent: also an empty list, an empty map, an empty text and `false`. */
export const saysNothing = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === false ||
  value === '' ||
  (Array.isArray(value) && value.length === 0) ||
  (typeof value === 'object' && Object.keys(value).length === 0)

export const works: FieldSupport = { kind: 'works' }
export const worksAs = (note: string): FieldSupport => ({ kind: 'works', note })
export const worksBut = (refusedValues: RefusedValues, note?: string): FieldSupport => ({
  kind: 'works',
  refusedValues,
  ...(note === undefined ? {} : { note }),
})
export const kept = (note: string): FieldSupport => ({ kind: 'kept', note })
export const refused = (why: string): FieldSupport => ({ kind: 'refused', why })
export const refusedWhen = (why: string, asks: (value: unknown) => boolean): FieldSupport => ({
  kind: 'refused',
  why,
  asks,
})

/** Why a member is refused that is only there with one that is refused already. */
export const asPartOfWhatIsRefused = 'as part of what is refused'
export const unread = refused(asPartOfWhatIsRefused)
