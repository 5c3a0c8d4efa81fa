import type { Expression, Subject } from './expression.ts'
import { compilePattern } from './safe-pattern.ts'
import { parseTimestamp } from './timestamp.ts'
import { type Operator, type QueryProblem, QuerySyntaxError, type Token, tokenize } from './tokenize.ts'

/** ECS's own limit on an expression, in characters. */
export const MAX_QUERY_LENGTH = 2000

/** Brackets and negations within each other beyond this are refused, so that no query can exhaust the stack. */
const MAX_DEPTH = 100

export type ParsedQuery =
  | { readonly ok: true; readonly expression: Expression }
  | { readonly ok: false; readonly error: QueryProblem }

/**
 * Reads an expression of the cluster query language, as in `memberOf` and in the filter of ListContainerInstances:
 *
 * ```
 * query     = all { ("||" | "or") all }
 * all       = operand { ("&&" | "and") operand }
 * operand   = ("!" | "not") operand | "(" query ")" | predicate
 * predicate = subject operator [ value | "[" value { "," value } "]" ]
 * ```
 *
 * Never throws: each text is an expression, or a problem with its position.
 */
export function parseQuery(text: string): ParsedQuery {
  try {
    if (text.length > MAX_QUERY_LENGTH) {
      throw new QuerySyntaxError(`an expression has at most ${MAX_QUERY_LENGTH} characters`, MAX_QUERY_LENGTH)
    }
    const cursor: Cursor = { tokens: tokenize(text), at: 0 }
    const expression = readQuery(cursor, 0)
    const rest = peek(cursor)
    if (rest.kind !== 'end') throw unexpected(rest, 'the end')
    return { ok: true, expression }
  } catch (error) {
    if (!(error instanceof QuerySyntaxError)) throw error
    const { message, position } = error
    return { ok: false, error: { message: `${message} at position ${position}`, position } }
  }
}

interface Cursor {
  readonly tokens: readonly Token[]
  at: number
}

const peek = (cursor: Cursor): Token => cursor.tokens[cursor.at] as Token
const next = (cursor: Cursor): Token => cursor.tokens[cursor.at++] as Token

function readQuery(cursor: Cursor, depth: number): Expression {
  return readJoined(cursor, 'or', () => readJoined(cursor, 'and', () => readOperand(cursor, depth)))
}

function readJoined(cursor: Cursor, kind: 'and' | 'or', read: () => Expression): Expression {
  const operands = [read()]
  while (peek(cursor).kind === kind) {
    next(cursor)
    operands.push(read())
  }
  return operands.length === 1 ? (operands[0] as Expression) : { kind, operands }
}

function readOperand(cursor: Cursor, depth: number): Expression {
  const token = next(cursor)
  if (depth > MAX_DEPTH) throw new QuerySyntaxError(`more than ${MAX_DEPTH} brackets within each other`, token.position)
  if (token.kind === 'not') return { kind: 'not', operand: readOperand(cursor, depth + 1) }
  if (token.kind === 'open') {
    const inner = readQuery(cursor, depth + 1)
    const close = next(cursor)
    if (close.kind !== 'close') throw unexpected(close, "')'")
    return inner
  }
  if (token.kind === 'subject') return readPredicate(cursor, subjectOf(token.text, token.position))
  throw unexpected(token, 'a subject')
}

function readPredicate(cursor: Cursor, subject: Subject): Expression {
  const token = next(cursor)
  if (token.kind !== 'operator') throw unexpected(token, 'an operator')
  const predicate = readArgument(cursor, subject, token.operator)
  return token.operator.negated ? { kind: 'not', operand: predicate } : predicate
}

function readArgument(cursor: Cursor, subject: Subject, operator: Operator): Expression {
  switch (operator.kind) {
    case 'exists':
      return { kind: 'exists', subject }
    case 'in':
      return { kind: 'in', subject, values: readList(cursor, subject) }
    case 'compare':
      return { kind: 'compare', subject, comparison: operator.comparison, value: readValue(cursor, subject) }
    default: {
      const token = next(cursor)
      if (token.kind !== 'value') throw unexpected(token, 'a pattern')
      return { kind: 'matches', subject, pattern: compilePattern(token.text, token.position) }
    }
  }
}

/** A list in brackets; a single value without them is a list of one. */
function readList(cursor: Cursor, subject: Subject): string[] {
  if (peek(cursor).kind !== 'openList') return [readValue(cursor, subject)]
  next(cursor)
  const values = [readValue(cursor, subject)]
  for (;;) {
    const token = next(cursor)
    if (token.kind === 'closeList') return values
    if (token.kind !== 'comma') throw unexpected(token, "',' or ']'")
    values.push(readValue(cursor, subject))
  }
}

function readValue(cursor: Cursor, subject: Subject): string {
  const token = next(cursor)
  if (token.kind !== 'value') throw unexpected(token, 'a value')
  if (subject.kind === 'registeredAt' && parseTimestamp(token.text) === undefined) {
    throw new QuerySyntaxError(`'${token.text}' is not a date such as 2018-06-18T22:28:28Z`, token.position)
  }
  if (subject.kind === 'runningTasksCount' && !/^\d+$/.test(token.text)) {
    throw new QuerySyntaxError(`'${token.text}' is not a number of tasks`, token.position)
  }
  return token.text
}

const FIXED_SUBJECTS: ReadonlyMap<string, Subject> = new Map<string, Subject>([
  ['agentconnected', { kind: 'agentConnected' }],
  ['agentversion', { kind: 'agentVersion' }],
  ['ec2instanceid', { kind: 'ec2InstanceId' }],
  ['registeredat', { kind: 'registeredAt' }],
  ['runningtaskscount', { kind: 'runningTasksCount' }],
  ['task:group', { kind: 'taskGroup' }],
])

const ATTRIBUTE = 'attribute:'

function subjectOf(text: string, position: number): Subject {
  if (text.startsWith(ATTRIBUTE)) {
    const name = text.slice(ATTRIBUTE.length)
    if (name === '') throw new QuerySyntaxError('an attribute needs a name', position)
    return { kind: 'attribute', name }
  }
  const subject = FIXED_SUBJECTS.get(text.toLowerCase())
  if (subject === undefined) throw new QuerySyntaxError(`unknown subject '${text}'`, position)
  return subject
}

function unexpected(token: Token, wanted: string): QuerySyntaxError {
  return new QuerySyntaxError(`expected ${wanted} but found ${describe(token)}`, token.position)
}

const PUNCTUATION: Partial<Record<Token['kind'], string>> = {
  and: "'&&'",
  or: "'||'",
  not: "'!'",
  open: "'('",
  close: "')'",
  openList: "'['",
  closeList: "']'",
  comma: "','",
  end: 'the end',
}

const describe = (token: Token): string => PUNCTUATION[token.kind] ?? ('text' in token ? `'${token.text}'` : token.kind)
