import type { MemberConstraint } from './ecs-constraints.ts'
import {
  lengthProblem,
  missingMember,
  nestedTooDeeply,
  notAList,
  notAStructure,
  notInEnum,
  notOneOfUnion,
  nullInList,
  numberProblem,
  patternProblem,
  type RequestPath,
  reservedKey,
  unknownMember,
  wrongType,
} from './request-problem.ts'
import { type ScalarKind, type ServiceModel, structureMembers, type TypeExpression } from './service-model.ts'

/** Turns a parsed JSON value into what the model says, or throws an `ApiError` that names the place. */
export type Decode = (value: unknown, path: RequestPath) => unknown

const maxInteger = 2 ** 31 - 1
const minInteger = -(2 ** 31)
/** The last moment a `Date` can hold, in seconds. */
const maxEpochSeconds = 8.64e12
const maxDocumentDepth = 32

const unconstrained: MemberConstraint = {}

/** A whole number within `min` and `max`, which are those of its type on the wire. */
function wholeNumber(typeName: string, min: number, max: number, constraint: MemberConstraint): Decode {
  return (value, path) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
      throw wrongType(value, typeName, path)
    }
    const problem = numberProblem(value, constraint, path)
    if (problem) throw problem
    return value
  }
}

function double(constraint: MemberConstraint): Decode {
  return (value, path) => {
    if (typeof value !== 'number' || !Number.isFinite(value)) throw wrongType(value, 'Double', path)
    const problem = numberProblem(value, constraint, path)
    if (problem) throw problem
    return value
  }
}

function string(constraint: MemberConstraint): Decode {
  return (value, path) => {
    if (typeof value !== 'string') throw wrongType(value, 'String', path)
    const problem = lengthProblem(value, constraint, path) ?? patternProblem(value, constraint, path)
    if (problem) throw problem
    return value
  }
}

const boolean: Decode = (value, path) => {
  if (typeof value !== 'boolean') throw wrongType(value, 'Boolean', path)
  return value
}

const timestamp: Decode = (value, path) => {
  if (typeof value !== 'number' || !(Math.abs(value) <= maxEpochSeconds)) throw wrongType(value, 'Timestamp', path)
  return new Date(Math.round(value * 1000))
}

/** Free JSON: only its depth is checked, without recursion. */
const document: Decode = (value, path) => {
  let level = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDocumentDepth) throw nestedTooDeeply(path)
    level = level.flatMap((item) => (item !== null && typeof item === 'object' ? Object.values(item) : []))
  }
  return value
}

const scalars: Readonly<Record<ScalarKind, (constraint: MemberConstraint) => Decode>> = {
  string,
  integer: (constraint) => wholeNumber('Integer', minInteger, maxInteger, constraint),
  long: (constraint) => wholeNumber('Long', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, constraint),
  double,
  boolean: () => boolean,
  timestamp: () => timestamp,
  document: () => document,
}

function enumeration(values: readonly string[], constraint: MemberConstraint): Decode {
  const taken = [...values, ...(constraint.furtherValues ?? [])]
  const known = new Set(taken)
  return (value, path) => {
    if (typeof value !== 'string') throw wrongType(value, 'String', path)
    if (known.has(value)) return value
    if (constraint.unknownCountsAs !== undefined) return constraint.unknownCountsAs
    throw notInEnum(value, path, taken)
  }
}

function list(item: Decode, constraint: MemberConstraint): Decode {
  return (value, path) => {
    if (!Array.isArray(value)) throw notAList(path)
    const problem = lengthProblem(value, constraint, path)
    if (problem) throw problem
    return value.map((element: unknown, i) => {
      path.push(i)
      if (element === null) throw nullInList(path)
      const decoded = item(element, path)
      path.pop()
      return decoded
    })
  }
}

const isJsonObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value)

function map(item: Decode): Decode {
  return (value, path) => {
    if (!isJsonObject(value)) throw notAStructure(path)
    const decoded: Record<string, unknown> = {}
    for (const key of Object.keys(value)) {
      path.push(key)
      // Assigning it would set the object's prototype instead of a key.
      if (key === '__proto__') throw reservedKey(path)
      if (value[key] === null) throw nullInList(path)
      decoded[key] = item(value[key], path)
      path.pop()
    }
    return decoded
  }
}

interface StructureShape {
  readonly members: ReadonlyMap<string, Decode>
  readonly required: readonly string[]
  readonly isUnion: boolean
}

/** A member that is null counts as absent, as it does with AWS. */
function structure({ members, required, isUnion }: StructureShape): Decode {
  const names = [...members.keys()]
  return (value, path) => {
    if (!isJsonObject(value)) throw notAStructure(path)
    const decoded: Record<string, unknown> = {}
    for (const name of Object.keys(value)) {
      path.push(name)
      const decode = members.get(name)
      if (!decode) throw unknownMember(path)
      if (value[name] !== null) decoded[name] = decode(value[name], path)
      path.pop()
    }
    for (const name of required) {
      if (decoded[name] === undefined) throw missingMember([...path, name])
    }
    if (isUnion && Object.keys(decoded).length !== 1) throw notOneOfUnion(names, path)
    return decoded
  }
}

/**
 * Compiles the decoder of one structure of `model`. Decoding never recurses deeper than the model does, whatever
 * the request holds.
 *
 * @throws Error when a structure contains itself, because then a request could nest without end.
 */
export function compileDecoder(
  model: ServiceModel,
  constraints: Readonly<Record<string, MemberConstraint>>,
): (structureName: string) => Decode {
  const compiled = new Map<string, Decode>()
  const compiling = new Set<string>()
  const unions = new Set(model.unions)

  const compileType = (type: TypeExpression, constraint: MemberConstraint): Decode => {
    if (type.kind === 'list') {
      const ofType = type.of.kind === 'named' ? constraints[`list<${type.of.name}>`] : undefined
      return list(compileType(type.of, unconstrained), { ...ofType, ...constraint })
    }
    if (type.kind === 'map') return map(compileType(type.of, unconstrained))
    if (type.kind !== 'named') return scalars[type.kind](constraint)
    const values = model.enums[type.name]
    return values ? enumeration(values, constraint) : compileStructure(type.name)
  }

  const compileStructure = (name: string): Decode => {
    const known = compiled.get(name)
    if (known) return known
    if (compiling.has(name)) throw new Error(`the structure ${name} contains itself`)
    compiling.add(name)
    const shapes = structureMembers(model, name)
    const members = new Map(
      [...shapes].map(([member, { type }]) => [
        member,
        compileType(type, constraints[`${name}.${member}`] ?? unconstrained),
      ]),
    )
    const required = [...shapes].filter(([, shape]) => shape.required).map(([member]) => member)
    const decode = structure({ members, required, isUnion: unions.has(name) })
    compiling.delete(name)
    compiled.set(name, decode)
    return decode
  }

  return compileStructure
}
