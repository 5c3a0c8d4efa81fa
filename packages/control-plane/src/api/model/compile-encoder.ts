import { type ServiceModel, structureMembers, type TypeExpression } from './service-model.ts'

/** Turns what a handler answered into a value for `JSON.stringify`. */
export type Encode = (value: unknown) => unknown

const mustBe = (expected: string, value: unknown) =>
  new Error(`an answer has ${typeof value} where ${expected} belongs`)

/** A value that JSON has too, checked for its type. */
function plain(type: 'string' | 'boolean'): Encode {
  return (value) => {
    if (typeof value !== type) throw mustBe(type, value)
    return value
  }
}

const string = plain('string')
const boolean = plain('boolean')

const whole: Encode = (value) => {
  if (!Number.isSafeInteger(value)) throw mustBe('a whole number', value)
  return value
}

const double: Encode = (value) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw mustBe('a finite number', value)
  return value
}

/** Epoch seconds with milliseconds as a fraction. */
const timestamp: Encode = (value) => {
  if (!(value instanceof Date) || Number.isNaN(value.getTime())) throw mustBe('a valid Date', value)
  return value.getTime() / 1000
}

const document: Encode = (value) => value

function list(item: Encode): Encode {
  return (value) => {
    if (!Array.isArray(value)) throw mustBe('a list', value)
    return value.map(item)
  }
}

function map(item: Encode): Encode {
  return (value) => {
    if (value === null || typeof value !== 'object') throw mustBe('a map', value)
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, item(entry)]))
  }
}

/** Writes the members of the model only, so that nothing internal leaks; `undefined` and null are left out. */
function structure(name: string, members: readonly (readonly [string, Encode])[]): Encode {
  return (value) => {
    if (value === null || typeof value !== 'object') throw mustBe(`a ${name}`, value)
    const source = value as Readonly<Record<string, unknown>>
    const encoded: Record<string, unknown> = {}
    for (const [member, encode] of members) {
      const entry = source[member]
      if (entry !== undefined && entry !== null) encoded[member] = encode(entry)
    }
    return encoded
  }
}

const scalars = { string, integer: whole, long: whole, double, boolean, timestamp, document } as const

/**
 * Compiles the encoder of one structure of `model`. Encoding throws an `Error` on a value of the wrong type, which
 * is a defect of the handler: better a `ServerException` than an answer that a client misreads.
 */
export function compileEncoder(model: ServiceModel): (structureName: string) => Encode {
  const compiled = new Map<string, Encode>()

  const compileType = (type: TypeExpression): Encode => {
    if (type.kind === 'list') return list(compileType(type.of))
    if (type.kind === 'map') return map(compileType(type.of))
    if (type.kind !== 'named') return scalars[type.kind]
    return model.enums[type.name] ? string : compileStructure(type.name)
  }

  const compileStructure = (name: string): Encode => {
    const known = compiled.get(name)
    if (known) return known
    const members = [...structureMembers(model, name)].map(([member, { type }]) => [member, compileType(type)] as const)
    const encode = structure(name, members)
    compiled.set(name, encode)
    return encode
  }

  return compileStructure
}
