import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ecsConstraints } from '@berth/control-plane/api/model/ecs-constraints.ts'
import { ecsModel } from '@berth/control-plane/api/model/gen/ecs-model.ts'
import {
  type ServiceModel,
  structureMembers,
  type TypeExpression,
} from '@berth/control-plane/api/model/service-model.ts'

/** The parts of AWS's public service model (botocore's format) that are compared. */
interface PublicShape {
  readonly type: string
  readonly members?: Readonly<Record<string, { readonly shape: string }>>
  readonly member?: { readonly shape: string }
  readonly value?: { readonly shape: string }
  readonly required?: readonly string[]
  readonly enum?: readonly string[]
  readonly exception?: boolean
  readonly min?: number
  readonly max?: number
}

interface PublicModel {
  readonly metadata: { readonly targetPrefix: string }
  readonly operations: Readonly<
    Record<string, { readonly input: { readonly shape: string }; readonly output: { readonly shape: string } }>
  >
  readonly shapes: Readonly<Record<string, PublicShape>>
}

// The public models are not part of the repository.
const directory = process.env['BERTH_MODELS_DIR'] ?? join(import.meta.dirname, '../../../shared/data/models')
const file = join(directory, 'ecs.model.json')
const isPresent = existsSync(file)
if (!isPresent)
  console.warn('SKIPPED: the model table was not compared with a public ECS model; set BERTH_MODELS_DIR to do so')

/** What the SDK, which is newer than the public model at hand, has relaxed. */
const noLongerRequired = new Set(['ResourceRequirement.value'])

/** A type of our table in words both sides can be put in: enums as their base, documents as structures. */
function ourType(model: ServiceModel, type: TypeExpression): string {
  if (type.kind === 'named') return model.enums[type.name] ? 'string' : type.name
  if (type.kind === 'list' || type.kind === 'map') return `${type.kind}<${ourType(model, type.of)}>`
  return type.kind
}

function publicType(model: PublicModel, name: string): string {
  const shape = model.shapes[name]
  if (shape?.type === 'structure') return shape.members && Object.keys(shape.members).length > 0 ? name : 'document'
  if (shape?.type === 'list') return `list<${publicType(model, shape.member?.shape ?? '')}>`
  if (shape?.type === 'map') return `map<${publicType(model, shape.value?.shape ?? '')}>`
  return shape?.type ?? 'nothing'
}

describe.skipIf(!isPresent)("the model table against AWS's public model", () => {
  const model: PublicModel = isPresent
    ? (JSON.parse(readFileSync(file, 'utf8')) as PublicModel)
    : { metadata: { targetPrefix: '' }, operations: {}, shapes: {} }
  const structures = Object.entries(model.shapes).filter(
    ([name, shape]) => shape.type === 'structure' && !shape.exception && ecsModel.structures[name],
  )

  it('has its operations, with the same shapes', () => {
    expect(ecsModel.targetPrefix).toBe(model.metadata.targetPrefix)
    const theirs = Object.entries(model.operations).map(([name, { input, output }]) => [
      name,
      { input: input.shape, output: output.shape },
    ])
    expect(ecsModel.operations).toMatchObject(Object.fromEntries(theirs) as object)
  })

  it('has all the members of its structures, with the same types', () => {
    const members = structures.flatMap(([name, shape]) =>
      Object.entries(shape.members ?? {}).map(([member, { shape }]) => ({ name, member, shape })),
    )
    const differences = members.flatMap(({ name, member, shape }) => {
      const ours = structureMembers(ecsModel, name).get(member)
      const got = ours ? ourType(ecsModel, ours.type) : 'missing'
      const wanted = publicType(model, shape)
      return got === wanted ? [] : [`${name}.${member}: ${got}, not ${wanted}`]
    })
    expect(members.length).toBeGreaterThan(1000)
    expect(differences).toEqual([])
  })

  it('requires the same members', () => {
    for (const [name, shape] of structures) {
      const required = [...structureMembers(ecsModel, name)]
        .filter(([, member]) => member.required)
        .map(([member]) => member)
      const theirs = (shape.required ?? []).filter((member) => !noLongerRequired.has(`${name}.${member}`))
      expect.soft(required.sort(), name).toEqual(theirs.sort())
    }
  })

  it('knows all its enum values where it has an enum', () => {
    const missing = structures.flatMap(([name, shape]) =>
      [...structureMembers(ecsModel, name)].flatMap(([member, { type }]) => {
        const theirs = model.shapes[shape.members?.[member]?.shape ?? '']
        const element = theirs?.member ? model.shapes[theirs.member.shape] : theirs
        const leaf = type.kind === 'list' ? type.of : type
        const ours = leaf.kind === 'named' ? ecsModel.enums[leaf.name] : undefined
        const absent = (element?.enum ?? []).filter((value) => !ours?.includes(value))
        return absent.map((value) => `${name}.${member}: ${value}`)
      }),
    )
    expect(missing).toEqual([])
  })

  it('has its exceptions', () => {
    const theirs = Object.entries(model.shapes)
      .filter(([, shape]) => shape.exception)
      .map(([name]) => name)
    expect(Object.keys(ecsModel.exceptions)).toEqual(expect.arrayContaining(theirs))
  })

  it('holds its ranges for numbers', () => {
    const differences = structures.flatMap(([name, shape]) =>
      Object.entries(shape.members ?? {}).flatMap(([member, { shape }]) => {
        const { type, min, max } = model.shapes[shape] ?? { type: '' }
        if (!['integer', 'long', 'double'].includes(type) || (min ?? max) === undefined) return []
        const ours = ecsConstraints[`${name}.${member}`]
        // The greatest 32-bit integer is the type's own limit.
        const sameMax = ours?.max === max || max === 2 ** 31 - 1
        return ours?.min === min && sameMax ? [] : [`${name}.${member}: ${min}..${max}`]
      }),
    )
    expect(differences).toEqual([])
  })
})
