/**
 * Writes `api/model/gen/` of the control plane from the npm package `@aws-sdk/client-ecs`: the shapes from its
 * runtime schemas, the enum values from its type declarations (the schemas leave them out).
 *
 *     node scripts/generate-ecs-model.ts            writes the files
 *     node scripts/generate-ecs-model.ts --check    fails when the files are not what would be written
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import * as sdk from '@aws-sdk/client-ecs'
import { ecsNumberKinds } from '../packages/control-plane/src/api/model/ecs-constraints.ts'
import type { ServiceModel } from '../packages/control-plane/src/api/model/service-model.ts'

const outputDirectory = join(import.meta.dirname, '../packages/control-plane/src/api/model/gen')

// The SDK's schemas are tuples: [kind, namespace, name, traits, ...]. Numbers stand for scalars.
type Traits = number | Readonly<Record<string, unknown>> | undefined
type Schema = readonly unknown[]
type SchemaReference = number | Schema | (() => SchemaReference)

const simple = 0
const list = 1
const map = 2
const structure = 3
const union = 4
const operation = 9
const exception = -3

const scalars: Readonly<Record<number, string>> = {
  0: 'string',
  1: 'integer',
  2: 'boolean',
  4: 'timestamp',
  15: 'document',
}
const listOf = 0x40
const mapOf = 0x80
const sensitiveTrait = 8

interface ShapeText {
  readonly type: string
  readonly sensitive: boolean
}

const schemas: readonly Schema[] = Object.values(sdk).filter((value): value is never => Array.isArray(value))
const ofKind = (kind: number) => schemas.filter((schema) => schema[0] === kind && schema[1] === 'com.amazonaws.ecs')
const nameOf = (schema: Schema) => String(schema[2])
const isSensitive = (traits: Traits) => typeof traits === 'number' && (traits & sensitiveTrait) !== 0
const byName = <Value>(entries: (readonly [string, Value])[]): Record<string, Value> =>
  Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))

function scalarText(code: number): string {
  const container = code & listOf ? 'list' : code & mapOf ? 'map' : undefined
  const scalar = scalars[container ? code & ~(listOf | mapOf) : code]
  if (!scalar) throw new Error(`the SDK has a schema number this script does not know: ${code}`)
  return container ? `${container}<${scalar}>` : scalar
}

/** The text of a schema, or of a schema with member traits beside it. */
function shapeText(reference: SchemaReference): ShapeText {
  if (typeof reference === 'function') return shapeText(reference())
  if (typeof reference === 'number') return { type: scalarText(reference), sensitive: false }
  const [kind, second] = reference
  if (typeof kind !== 'number' || typeof second !== 'string') {
    const shape = shapeText(kind as SchemaReference)
    return { type: shape.type, sensitive: shape.sensitive || isSensitive(second as Traits) }
  }
  const sensitive = isSensitive(reference[3] as Traits)
  const inner = (position: number) => shapeText(reference[position] as SchemaReference)
  if (kind === simple) return { ...inner(4), sensitive }
  if (kind === list) return { type: `list<${inner(4).type}>`, sensitive: sensitive || inner(4).sensitive }
  if (kind === map) return { type: `map<${inner(5).type}>`, sensitive: sensitive || inner(5).sensitive }
  if (kind === structure || kind === union) return { type: nameOf(reference), sensitive }
  throw new Error(`the SDK has a schema kind this script does not know: ${kind}`)
}

/** The declarations of the SDK's models without their prose. */
function readDeclarations(): string {
  const directory = join(dirname(createRequire(import.meta.url).resolve('@aws-sdk/client-ecs')), '../dist-types/models')
  const files = readdirSync(directory)
    .filter((file) => file.endsWith('.d.ts'))
    .sort()
  return files.map((file) => readFileSync(join(directory, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, '')).join('\n')
}

function readEnums(declarations: string): ReadonlyMap<string, readonly string[]> {
  const constants = declarations.matchAll(/export declare const (\w+): \{([^{}]*)\};/g)
  return new Map(
    [...constants].map(([, name = '', body = '']) => [
      name,
      [...body.matchAll(/readonly \w+: "([^"]*)"/g)].map((m) => m[1] ?? ''),
    ]),
  )
}

/** For each `Structure.member` of an enum type, the enum's name. */
function readEnumMembers(declarations: string, enums: ReadonlySet<string>): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  const blocks = declarations.matchAll(/(namespace|interface) (\w+)(?:<\w+>)?(?: extends [\w, ]+)? \{(?:([^{}]*)\})?/g)
  let namespace = ''
  for (const [, keyword, name = '', body = ''] of blocks) {
    if (keyword === 'namespace') namespace = name
    // The variants of a union are interfaces inside its namespace: `LogLevelMember` in `ServiceConnect...`.
    const owner = name.endsWith('Member') ? namespace : name
    for (const [, member = '', type = ''] of body.matchAll(/^\s*(\w+)\??: ([^;]+);/gm)) {
      const base = type.replace(' | undefined', '').replace(/\[\]$/, '')
      if (enums.has(base)) found.set(`${owner}.${member}`, base)
    }
  }
  return found
}

function memberText(
  owner: string,
  member: string,
  reference: SchemaReference,
  required: boolean,
  enumMembers: ReadonlyMap<string, string>,
): string {
  const shape = shapeText(reference)
  const key = `${owner}.${member}`
  const enumName = enumMembers.get(key)
  const numberKind = ecsNumberKinds[key]
  let type = shape.type
  if (enumName) type = type.replace('string', enumName)
  if (numberKind) type = type.replace('integer', numberKind)
  return `${type}${required ? '!' : ''}${shape.sensitive ? ' sensitive' : ''}`
}

function structureEntry(
  schema: Schema,
  enumMembers: ReadonlyMap<string, string>,
): readonly [string, Record<string, string>] {
  const name = nameOf(schema)
  const members = schema[4] as readonly string[]
  const references = schema[5] as readonly SchemaReference[]
  const required = (schema[6] as number | undefined) ?? 0
  const texts = members.map((member, i) => [
    member,
    memberText(name, member, references[i] ?? 0, i < required, enumMembers),
  ])
  return [name, Object.fromEntries(texts) as Record<string, string>]
}

function buildModel(): ServiceModel {
  const declarations = readDeclarations()
  const enums = readEnums(declarations)
  const enumMembers = readEnumMembers(declarations, new Set(enums.keys()))
  const used = new Set(enumMembers.values())
  const shape = (schema: Schema, position: number) => shapeText(schema[position] as SchemaReference).type
  return {
    targetPrefix: 'AmazonEC2ContainerServiceV20141113',
    operations: byName(
      ofKind(operation).map((schema) => [nameOf(schema), { input: shape(schema, 4), output: shape(schema, 5) }]),
    ),
    structures: byName([...ofKind(structure), ...ofKind(union)].map((schema) => structureEntry(schema, enumMembers))),
    unions: ofKind(union).map(nameOf).sort(),
    enums: byName([...enums].filter(([name]) => used.has(name))),
    exceptions: byName(
      ofKind(exception).map((schema) => [nameOf(schema), (schema[3] as { error: 'client' | 'server' }).error]),
    ),
  }
}

const banner = '// Generated by scripts/generate-ecs-model.ts; do not edit.\n'

/** JSON as our formatter would like it to be read: bare keys, single quotes. */
const literal = (value: unknown) =>
  JSON.stringify(value, undefined, 2)
    .replaceAll(/^(\s*)"(\w+)":/gm, '$1$2:')
    .replaceAll(/"((?:[^"\\']|\\.)*)"/g, "'$1'")

function modelFile(model: ServiceModel): string {
  const head = `${banner}import type { ServiceModel } from '../service-model.ts'\n\n`
  return `${head}/** The ECS API as of the SDK this was generated from. */\nexport const ecsModel: ServiceModel = ${literal(model)}\n`
}

function operationsFile(model: ServiceModel): string {
  const lines = Object.entries(model.operations).map(
    ([name, { input, output }]) => `  ${name}: { input: ecs.${input}; output: ecs.${output} }`,
  )
  const head = `${banner}import type * as ecs from '@aws-sdk/client-ecs'\n\n`
  return `${head}/** Every operation of the ECS API with the types of its request and its response. */\nexport interface EcsOperationTypes {\n${lines.join('\n')}\n}\n`
}

const model = buildModel()
const files = { 'ecs-model.ts': modelFile(model), 'ecs-operations.ts': operationsFile(model) }

if (process.argv.includes('--check')) {
  const stale = Object.entries(files).filter(
    ([name, text]) => readFileSync(join(outputDirectory, name), 'utf8') !== text,
  )
  for (const [name] of stale)
    console.error(`api/model/gen/${name} is not what scripts/generate-ecs-model.ts writes: run it`)
  process.exitCode = stale.length === 0 ? 0 : 1
} else {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(outputDirectory, name), text)
}
