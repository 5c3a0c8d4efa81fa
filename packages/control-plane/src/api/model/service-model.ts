/**
 * The shapes of one AWS service's API as a plain table: what a request may hold, and how an answer is written.
 *
 * A member's type is written as text, so that the generated table reads (and diffs) like an interface:
 *
 * - `string`, `integer` (32 bits), `long` (53 bits here), `double`, `boolean`, `timestamp`, `document` (any JSON)
 * - `list<T>`, `map<T>` (keys are strings)
 * - the name of an enum or of a structure
 * - `!` after it: required; ` sensitive` at the end: never to be logged
 */
export interface ServiceModel {
  /** What stands before the dot in `X-Amz-Target`. */
  readonly targetPrefix: string
  readonly operations: Readonly<Record<string, { readonly input: string; readonly output: string }>>
  readonly structures: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** The structures of which exactly one member is set. */
  readonly unions: readonly string[]
  readonly enums: Readonly<Record<string, readonly string[]>>
  /** The modelled exceptions, and whose fault each says it is. */
  readonly exceptions: Readonly<Record<string, 'client' | 'server'>>
}

export const scalarKinds = ['string', 'integer', 'long', 'double', 'boolean', 'timestamp', 'document'] as const
export type ScalarKind = (typeof scalarKinds)[number]

/** A type of the table, taken apart. A `named` one is an enum or a structure. */
export type TypeExpression =
  | { readonly kind: ScalarKind }
  | { readonly kind: 'list' | 'map'; readonly of: TypeExpression }
  | { readonly kind: 'named'; readonly name: string }

/** A member of a structure, taken apart. */
export interface MemberShape {
  readonly type: TypeExpression
  readonly required: boolean
  readonly sensitive: boolean
}

/**
 * Takes a type apart.
 *
 * @throws Error when `text` is no type.
 */
export function parseType(text: string): TypeExpression {
  const container = /^(list|map)<(.+)>$/.exec(text)
  if (container?.[2]) return { kind: container[1] === 'list' ? 'list' : 'map', of: parseType(container[2]) }
  const scalar = scalarKinds.find((kind) => kind === text)
  if (scalar) return { kind: scalar }
  if (!/^[A-Z]\w*$/.test(text)) throw new Error(`"${text}" is no type of a service model`)
  return { kind: 'named', name: text }
}

/**
 * Takes a member's text apart.
 *
 * @throws Error when it holds no type.
 */
export function parseMember(text: string): MemberShape {
  const match = /^(.+?)(!)?( sensitive)?$/.exec(text)
  if (!match?.[1]) throw new Error(`"${text}" is no member of a service model`)
  return { type: parseType(match[1]), required: match[2] !== undefined, sensitive: match[3] !== undefined }
}

/** The members of a structure of `model`. @throws Error when it has no such structure. */
export function structureMembers(model: ServiceModel, name: string): ReadonlyMap<string, MemberShape> {
  const members = model.structures[name]
  if (!members) throw new Error(`the model has no structure ${name}`)
  return new Map(Object.entries(members).map(([member, text]) => [member, parseMember(text)]))
}
