import { ecsModel } from '../model/gen/ecs-model.ts'
import { structureMembers, type TypeExpression } from '../model/service-model.ts'
import { type ApiError, clientException, invalidParameter } from '../errors.ts'
import { type FieldSupport, type Refusal, type RefusedValues, saysNothing } from './field-support.ts'
import { requestFields } from './request-fields.ts'
import { taskDefinitionFields } from './task-definition-fields.ts'

/** A member of a structure, with all that is needed to look into it. */
export interface Field {
  readonly member: string
  readonly support: FieldSupport | undefined
  /** The structure of the member, or of the items of its list; `undefined` for what is no structure. */
  readonly structure: string | undefined
}

/** What becomes of every member of a request, by `Structure.member` of the ECS model. */
export const fieldSupport: Readonly<Record<string, FieldSupport>> = { ...requestFields, ...taskDefinitionFields }

const fieldsByStructure = new Map<string, readonly Field[]>()

/** The members of a structure of the ECS model, from the table of what Berth does with them. */
export function fieldsOf(structure: string): readonly Field[] {
  const known = fieldsByStructure.get(structure)
  if (known !== undefined) return known
  const fields = Array.from(structureMembers(ecsModel, structure), ([member, { type }]) => ({
    member,
    support: fieldSupport[`${structure}.${member}`],
    structure: structureIn(type),
  }))
  fieldsByStructure.set(structure, fields)
  return fields
}

/**
 * Refuses what Berth cannot honour, by name: the first member of `input` that the table refuses and that is there and says
 * something. An empty list, an empty map and `false` say nothing.
 *
 * @throws ClientException `containerDefinitions[0].firelensConfiguration is not supported by Berth: <why>.`;
 *   InvalidParameterException where ECS has a message of its own.
 */
export function refuseUnsupportedFields(structure: string, input: object, path = ''): void {
  for (const { member, support, structure: inner } of refusingFieldsOf(structure)) {
    const value: unknown = (input as Readonly<Record<string, unknown>>)[member]
    if (value === undefined || value === null) continue
    const here = path === '' ? member : `${path}.${member}`
    if (support?.kind === 'refused') {
      if (support.asks?.(value) ?? !saysNothing(value)) throw refusal(support, here, value)
      continue
    }
    refuseValues(here, value, support?.refusedValues)
    if (inner !== undefined) lookInto(inner, value, here)
  }
}

/** The error that answers a member at `path` which is refused. */
export function refusal({ why, ownMessage }: Refusal, path: string, value: unknown): ApiError {
  if (ownMessage !== undefined) return invalidParameter(ownMessage(value))
  return clientException(`${path} is not supported by Berth: ${why}.`)
}

/** The error that answers a value at `path` which is refused, while others are not. */
export const valueRefusal = (path: string, value: string, why: string): ApiError =>
  clientException(`${path} '${value}' is not supported by Berth: ${why}.`)

const refusingByStructure = new Map<string, readonly Field[]>()

/** The members of a structure that are refused, or have values or members that are: of most requests there are none. */
function refusingFieldsOf(structure: string): readonly Field[] {
  const known = refusingByStructure.get(structure)
  if (known !== undefined) return known
  const refusing = fieldsOf(structure).filter(
    ({ support, structure: inner }) =>
      support?.kind === 'refused' ||
      support?.refusedValues !== undefined ||
      (inner !== undefined && refusingFieldsOf(inner).length > 0),
  )
  refusingByStructure.set(structure, refusing)
  return refusing
}

function lookInto(structure: string, value: unknown, path: string): void {
  if (!Array.isArray(value)) return refuseUnsupportedFields(structure, value as object, path)
  for (const [index, item] of value.entries()) refuseUnsupportedFields(structure, item as object, `${path}[${index}]`)
}

function refuseValues(path: string, value: unknown, refused: RefusedValues | undefined): void {
  if (refused === undefined) return
  for (const one of Array.isArray(value) ? value : [value])
    if (typeof one === 'string' && Object.hasOwn(refused, one)) throw valueRefusal(path, one, refused[one] ?? '')
}

function structureIn(type: TypeExpression): string | undefined {
  if (type.kind === 'list') return structureIn(type.of)
  return type.kind === 'named' && Object.hasOwn(ecsModel.structures, type.name) ? type.name : undefined
}
