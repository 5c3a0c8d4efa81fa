import { ApiError } from '../errors.ts'
import type { MemberConstraint } from './ecs-constraints.ts'

/** Where in a request a value stands: member names, and indexes of lists. */
export type RequestPath = (string | number)[]

/** `containerDefinitions[0].cpu` */
export const formatPath = (path: RequestPath): string =>
  path
    .map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`))
    .join('')
    .slice(0, 500)

/** What AWS's JSON parser calls a value it met where another was expected. */
function tokenName(value: unknown): string {
  if (typeof value === 'string') return 'STRING_VALUE'
  if (typeof value === 'number') return 'NUMBER_VALUE'
  return value === true ? 'TRUE_VALUE' : 'FALSE_VALUE'
}

const at = (path: RequestPath) => (path.length === 0 ? '' : ` (at ${formatPath(path)})`)

/** A JSON value of the wrong type. The texts begin as AWS's do; the path is ours, because theirs names none. */
export function wrongType(value: unknown, expected: string, path: RequestPath): ApiError {
  const text =
    value !== null && typeof value === 'object'
      ? 'Start of structure or map found where not expected.'
      : `${tokenName(value)} cannot be converted to ${expected}`
  return new ApiError('SerializationException', text + at(path))
}

export const notAList = (path: RequestPath): ApiError =>
  new ApiError('SerializationException', `Expected list or null${at(path)}`)

export const notAStructure = (path: RequestPath): ApiError =>
  new ApiError('SerializationException', `Expected structure or map or null${at(path)}`)

export const nullInList = (path: RequestPath): ApiError =>
  new ApiError('SerializationException', `null is not allowed as a value of a list or map${at(path)}`)

export const nestedTooDeeply = (path: RequestPath): ApiError =>
  new ApiError('SerializationException', `The value is nested too deeply${at(path)}`)

/** A member that the model does not have. AWS drops it; Berth does not drop what somebody asked for. */
export const unknownMember = (path: RequestPath): ApiError =>
  new ApiError('ClientException', `Unknown parameter in input: "${formatPath(path)}".`)

export const reservedKey = (path: RequestPath): ApiError =>
  new ApiError('ClientException', `The key "${formatPath(path)}" is not allowed.`)

export const notOneOfUnion = (members: readonly string[], path: RequestPath): ApiError =>
  new ApiError('SerializationException', `Exactly one of ${members.join(', ')} must be set${at(path)}`)

/** A value of the right type that the model does not allow, in the words AWS's services use for it. */
function violation(value: string | number | null, path: RequestPath, constraint: string): ApiError {
  const shown = value === null ? 'null' : `'${String(value).slice(0, 200)}'`
  return new ApiError(
    'InvalidParameterException',
    `1 validation error detected: Value ${shown} at '${formatPath(path)}' failed to satisfy constraint: Member must ${constraint}`,
  )
}

export const missingMember = (path: RequestPath): ApiError => violation(null, path, 'not be null')

export const notInEnum = (value: string, path: RequestPath, values: readonly string[]): ApiError =>
  violation(value, path, `satisfy enum value set: [${values.join(', ')}]`)

/** The problem with a number, if `constraint` has one with it. */
export function numberProblem(value: number, constraint: MemberConstraint, path: RequestPath): ApiError | undefined {
  const { min, max } = constraint
  if (min !== undefined && value < min) return violation(value, path, `have value greater than or equal to ${min}`)
  if (max !== undefined && value > max) return violation(value, path, `have value less than or equal to ${max}`)
  return undefined
}

/** The problem with the length of a string or a list, if `constraint` has one with it. */
export function lengthProblem(
  value: string | readonly unknown[],
  constraint: MemberConstraint,
  path: RequestPath,
): ApiError | undefined {
  const { minLength, maxLength } = constraint
  const shown = typeof value === 'string' ? value : `list of ${value.length}`
  if (minLength !== undefined && value.length < minLength) {
    return violation(shown, path, `have length greater than or equal to ${minLength}`)
  }
  if (maxLength !== undefined && value.length > maxLength) {
    return violation(shown, path, `have length less than or equal to ${maxLength}`)
  }
  return undefined
}

/** The problem with the characters of a string, if `constraint` has one with them. */
export function patternProblem(value: string, constraint: MemberConstraint, path: RequestPath): ApiError | undefined {
  const { pattern } = constraint
  if (!pattern || pattern.test(value)) return undefined
  return violation(value, path, `satisfy regular expression pattern: ${pattern.source}`)
}
