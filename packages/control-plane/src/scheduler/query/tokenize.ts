import type { Comparison } from './expression.ts'

/** What an operator does, and whether it means the opposite. */
export type Operator =
  | { readonly kind: 'compare'; readonly comparison: Comparison; readonly negated: boolean }
  | { readonly kind: 'exists' | 'in' | 'matches'; readonly negated: boolean }

/** `position` counts UTF-16 units from 0, to the token's first. */
export type Token = { readonly position: number } & (
  | { readonly kind: 'and' | 'or' | 'not' | 'open' | 'close' | 'openList' | 'closeList' | 'comma' | 'end' }
  | { readonly kind: 'subject'; readonly text: string }
  | { readonly kind: 'operator'; readonly text: string; readonly operator: Operator }
  | { readonly kind: 'value'; readonly text: string }
)

/** Why a text is no query, and where: `position` counts UTF-16 units from 0. */
export interface QueryProblem {
  readonly message: string
  readonly position: number
}

/** Thrown inside the query parser only; `parseQuery` turns it into a result. */
export class QuerySyntaxError extends Error {
  readonly position: number

  constructor(message: string, position: number) {
    super(message)
    this.position = position
  }
}

const compare = (comparison: Comparison, negated = false): Operator => ({ kind: 'compare', comparison, negated })
const operator = (kind: 'exists' | 'in' | 'matches', negated = false): Operator => ({ kind, negated })

/** Every operator by each of its spellings. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ['==', compare('equals')],
  ['equals', compare('equals')],
  ['!=', compare('equals', true)],
  ['not_equals', compare('equals', true)],
  ['>', compare('greaterThan')],
  ['greater_than', compare('greaterThan')],
  ['>=', compare('greaterThanEqual')],
  ['greater_than_equal', compare('greaterThanEqual')],
  ['<', compare('lessThan')],
  ['less_than', compare('lessThan')],
  ['<=', compare('lessThanEqual')],
  ['less_than_equal', compare('lessThanEqual')],
  ['exists', operator('exists')],
  ['!exists', operator('exists', true)],
  ['not_exists', operator('exists', true)],
  ['in', operator('in')],
  ['!in', operator('in', true)],
  ['not_in', operator('in', true)],
  ['=~', operator('matches')],
  ['matches', operator('matches')],
  ['!~', operator('matches', true)],
  ['not_matches', operator('matches', true)],
])

const SPACE = /[ \t\r\n]*/y
const SYMBOL_OPERATOR = /==|!=|>=|<=|>|<|=~|!~|!exists\b|!in\b/y
const WORD_OPERATOR = /[A-Za-z_]+/y
const SUBJECT = /[A-Za-z][A-Za-z0-9_.:/\\-]*/y
const PLAIN_VALUE = /[^\s()[\],'"&|]+(?:[&|](?![&|])[^\s()[\],'"&|]*)*/y

/** What may come next: the language cannot be cut into tokens without knowing, for a pattern may hold almost anything. */
type Expects = 'operand' | 'operator' | 'value' | 'pattern' | 'list' | 'joint'

/**
 * Cuts a query into tokens; the last is always `end`.
 *
 * @throws QuerySyntaxError at the first place where no token can begin.
 */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  let expects: Expects = 'operand'
  let at = skipSpace(text, 0)
  while (at < text.length) {
    const { token, end } = READ[expects](text, at)
    tokens.push(token)
    expects = expectedAfter(token, expects)
    at = skipSpace(text, end)
  }
  tokens.push({ kind: 'end', position: text.length })
  return tokens
}

interface Read {
  readonly token: Token
  readonly end: number
}

const READ: Record<Expects, (text: string, at: number) => Read> = {
  operand: readOperand,
  operator: readOperator,
  value: readValue,
  pattern: readPattern,
  list: readListPart,
  joint: readJoint,
}

function expectedAfter(token: Token, before: Expects): Expects {
  switch (token.kind) {
    case 'subject':
      return 'operator'
    case 'operator':
      if (token.operator.kind === 'exists') return 'joint'
      return token.operator.kind === 'matches' ? 'pattern' : 'value'
    case 'openList':
    case 'comma':
      return 'list'
    case 'value':
      return before === 'list' ? 'list' : 'joint'
    case 'close':
    case 'closeList':
      return 'joint'
    default:
      return 'operand'
  }
}

function readOperand(text: string, at: number): Read {
  if (text[at] === '(') return { token: { kind: 'open', position: at }, end: at + 1 }
  if (text[at] === ')') return { token: { kind: 'close', position: at }, end: at + 1 }
  if (text[at] === '!') return { token: { kind: 'not', position: at }, end: at + 1 }
  const word = matchAt(SUBJECT, text, at)
  if (word === undefined) throw new QuerySyntaxError(`expected a subject, '!' or '(' but found '${text[at]}'`, at)
  const kind = word.toLowerCase() === 'not' ? 'not' : 'subject'
  return { token: { kind, text: word, position: at }, end: at + word.length }
}

function readOperator(text: string, at: number): Read {
  const word = matchAt(SYMBOL_OPERATOR, text, at) ?? matchAt(WORD_OPERATOR, text, at) ?? text.charAt(at)
  const known = OPERATORS.get(word) ?? OPERATORS.get(word.toLowerCase())
  if (known === undefined) throw new QuerySyntaxError(`unknown operator '${word}'`, at)
  return { token: { kind: 'operator', text: word, operator: known, position: at }, end: at + word.length }
}

function readValue(text: string, at: number): Read {
  if (text[at] === '[') return { token: { kind: 'openList', position: at }, end: at + 1 }
  return readPlainOrQuoted(text, at)
}

function readListPart(text: string, at: number): Read {
  if (text[at] === ']') return { token: { kind: 'closeList', position: at }, end: at + 1 }
  if (text[at] === ',') return { token: { kind: 'comma', position: at }, end: at + 1 }
  return readPlainOrQuoted(text, at)
}

function readJoint(text: string, at: number): Read {
  if (text[at] === ')') return { token: { kind: 'close', position: at }, end: at + 1 }
  if (text.startsWith('&&', at)) return { token: { kind: 'and', position: at }, end: at + 2 }
  if (text.startsWith('||', at)) return { token: { kind: 'or', position: at }, end: at + 2 }
  const word = matchAt(WORD_OPERATOR, text, at)
  const kind = word?.toLowerCase()
  if (word !== undefined && (kind === 'and' || kind === 'or'))
    return { token: { kind, position: at }, end: at + word.length }
  throw new QuerySyntaxError(`expected '&&', '||' or ')' but found '${word ?? text[at]}'`, at)
}

function readPlainOrQuoted(text: string, at: number): Read {
  if (text[at] === '"' || text[at] === "'") return readQuoted(text, at)
  const plain = matchAt(PLAIN_VALUE, text, at)
  if (plain === undefined) throw new QuerySyntaxError(`expected a value but found '${text[at]}'`, at)
  return { token: { kind: 'value', text: plain, position: at }, end: at + plain.length }
}

/** Inside quotes a backslash makes the quote, or another backslash, a plain character; before all else it stays itself. */
function readQuoted(text: string, at: number): Read {
  const quote = text[at]
  let value = ''
  for (let next = at + 1; next < text.length; next++) {
    if (text[next] === quote) return { token: { kind: 'value', text: value, position: at }, end: next + 1 }
    if (text[next] === '\\' && (text[next + 1] === quote || text[next + 1] === '\\')) next++
    value += text[next]
  }
  throw new QuerySyntaxError('this quote is never closed', at)
}

/**
 * A pattern without quotes ends at a space, at `&&` or `||`, or at a bracket that closes none of its own:
 * so `(attribute:type =~ (t2|m4).*)` reads as it looks.
 */
function readPattern(text: string, at: number): Read {
  if (text[at] === '"' || text[at] === "'") return readQuoted(text, at)
  let depth = 0
  let end = at
  for (; end < text.length; end++) {
    const char = text.charAt(end)
    if (/\s/.test(char) || text.startsWith('&&', end) || text.startsWith('||', end)) break
    if (char === '\\') end++
    else if (char === '(' || char === '[') depth++
    else if ((char === ')' || char === ']') && --depth < 0) break
  }
  end = Math.min(end, text.length)
  if (end === at) throw new QuerySyntaxError(`expected a pattern but found '${text[at]}'`, at)
  return { token: { kind: 'value', text: text.slice(at, end), position: at }, end }
}

const skipSpace = (text: string, at: number): number => at + (matchAt(SPACE, text, at) ?? '').length

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}
