import { ecsModel } from '../model/gen/ecs-model.ts'
import { structureMembers, type TypeExpression } from '../model/service-model.ts'
import { clientException } from '../errors.ts'
import { type FieldSupport, taskDefinitionFields } from './task-definition-fields.ts'

/** A member of a structure, with all that is needed to look into it. */
interface Field {
  readonly member: string
  readonly support: FieldSupport | undefined
  /** The structure of the member, or of the items of its list; `undefined` for what is no structure. */
  readonly structure: string | undefined
}

const fieldsByStructure = new Map<string, readonly Field[]>()

/** The members of a structure of the ECS model, from the table of what Berth does with them. */
export function fieldsOf(structure: string): readonly Field[] {
  const known = fieldsByStructure.get(structure)
  if (known !== undefined) return known
  const fields = Array.from(structureMembers(ecsModel, structure), ([member, { type }]) => ({
    member,
    support: taskDefinitionFields[`${structure}.${member}`],
    structure: structureIn(type),
  }))
  fieldsByStructure.set(structure, fields)
  return fields
}

/**
 * Refuses what Berth cannot honour, by name: the first member of `input` that the table refuses and that is there and says
 * something. An empty list, an empty map and `false` say nothing.
 *
 * @throws ClientException `containerDefinitions[0].secrets is not supported by Berth: <why>.`
 */
export function refuseUnsupportedFields(structure: string, input: object, path = ''): void {
  for (const { member, support, structure: inner } of fieldsOf(structure)) {
    const value: unknown = (input as Readonly<Record<string, unknown>>)[member]
    if (saysNothing(value)) continue
    const here = path === '' ? member : `${path}.${member}`
    if (support?.kind === 'refused') throw clientException(`${here} is not supported by Berth: ${support.why}.`)
    refuseValues(here, value, support?.refusedValues)
    if (inner !== undefined) lookInto(inner, value, here)
  }
}

function lookInto(structure: string, value: unknown, path: string): void {
  if (!Array.isArray(value)) return refuseUnsupportedFields(structure, value as object, path)
  for (const [index, item] of value.entries()) refuseUnsupportedFields(structure, item as object, `${path}[${index}]`)
}

function refuseValues(path: string, value: unknown, refused: Readonly<Record<string, string>> | undefined): void {
  if (refused === undefined) return
  for (const one of Array.isArray(value) ? value : [value])
    if (typeof one === 'string' && Object.hasOwn(refused, one))
      throw clientException(`${path} '${one}' is not supported by Berth: ${refused[one]}.`)
}

const saysNothing = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === false ||
  (Array.isArray(value) && value.length === 0) ||
  (typeof value === 'object' && Object.keys(value).length === 0)

function structureIn(type: TypeExpression): string | undefined {
  if (type.kind === 'list') return structureIn(type.of)
  return type.kind === 'named' && Object.hasOwn(ecsModel.structures, type.name) ? type.name : undefined
}
