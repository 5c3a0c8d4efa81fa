import type { Comparison, Expression, Subject } from './expression.ts'

const SYMBOL: Record<Comparison, string> = {
  equals: '==',
  greaterThan: '>',
  greaterThanEqual: '>=',
  lessThan: '<',
  lessThanEqual: '<=',
}

const NEGATED = { '==': '!=', in: '!in', '=~': '!~', exists: '!exists' } as const

/** A subject as users write it. */
export function describeSubject(subject: Subject): string {
  if (subject.kind === 'attribute') return `attribute:${subject.name}`
  return subject.kind === 'taskGroup' ? 'task:group' : subject.kind
}

/** An expression as users write it; parsing it again gives the same expression. */
export function describeExpression(expression: Expression): string {
  switch (expression.kind) {
    case 'and':
    case 'or':
      return expression.operands.map((operand) => inBrackets(operand)).join(expression.kind === 'and' ? ' && ' : ' || ')
    case 'not':
      return describeNegation(expression.operand)
    default:
      return describePredicate(expression, (operator) => operator)
  }
}

type Predicate = Exclude<Expression, { kind: 'and' | 'or' | 'not' }>

function describeNegation(operand: Expression): string {
  const negatable = operand.kind === 'exists' || operand.kind === 'in' || operand.kind === 'matches'
  if (negatable || (operand.kind === 'compare' && operand.comparison === 'equals')) {
    return describePredicate(operand, (operator) => NEGATED[operator as keyof typeof NEGATED])
  }
  return `!(${describeExpression(operand)})`
}

function describePredicate(predicate: Predicate, operator: (positive: string) => string): string {
  const subject = describeSubject(predicate.subject)
  switch (predicate.kind) {
    case 'exists':
      return `${subject} ${operator('exists')}`
    case 'in':
      return `${subject} ${operator('in')} [${predicate.values.map(quoted).join(', ')}]`
    case 'matches':
      return `${subject} ${operator('=~')} ${quoted(predicate.pattern.source)}`
    default:
      return `${subject} ${operator(SYMBOL[predicate.comparison])} ${quoted(predicate.value)}`
  }
}

const inBrackets = (expression: Expression): string =>
  expression.kind === 'and' || expression.kind === 'or'
    ? `(${describeExpression(expression)})`
    : describeExpression(expression)

const PLAIN = /^[A-Za-z0-9_.:/*+-]+$/

/** The value as it is where it needs no quotes. */
const quoted = (value: string): string =>
  PLAIN.test(value) ? value : `"${value.replaceAll(/(["\\])/g, String.raw`\$1`)}"`
