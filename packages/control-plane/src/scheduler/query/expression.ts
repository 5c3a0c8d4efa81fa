/** What a predicate looks at: a fact of the host itself, or of the tasks on it. */
export type Subject =
  | { readonly kind: 'attribute'; readonly name: string }
  | {
      readonly kind:
        | 'agentConnected'
        | 'agentVersion'
        | 'ec2InstanceId'
        | 'registeredAt'
        | 'runningTasksCount'
        | 'taskGroup'
    }

export type Comparison = 'equals' | 'greaterThan' | 'greaterThanEqual' | 'lessThan' | 'lessThanEqual'

/** A regular expression that matches whole values, in time linear in their length. */
export interface SafePattern {
  readonly source: string
  matches(value: string): boolean
}

/**
 * A parsed cluster query. The negative operators (`!=`, `!in`, `!~`, `!exists`) are parsed into `not` around their positive
 * form, so each is its exact opposite: a host without the attribute satisfies `attribute:x != y`.
 */
export type Expression =
  | { readonly kind: 'and' | 'or'; readonly operands: readonly Expression[] }
  | { readonly kind: 'not'; readonly operand: Expression }
  | { readonly kind: 'exists'; readonly subject: Subject }
  | { readonly kind: 'compare'; readonly subject: Subject; readonly comparison: Comparison; readonly value: string }
  | { readonly kind: 'in'; readonly subject: Subject; readonly values: readonly string[] }
  | { readonly kind: 'matches'; readonly subject: Subject; readonly pattern: SafePattern }

/** Calls `visit` for each subject the expression looks at. */
export function forEachSubject(expression: Expression, visit: (subject: Subject) => void): void {
  switch (expression.kind) {
    case 'and':
    case 'or':
      for (const operand of expression.operands) forEachSubject(operand, visit)
      return
    case 'not':
      forEachSubject(expression.operand, visit)
      return
    default:
      visit(expression.subject)
  }
}
