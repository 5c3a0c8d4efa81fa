/** What a supervisor in the background says to the command that started it. */
export type UpReport =
  | { readonly kind: 'says'; readonly line: string }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly message: string }

/** Says to a `berth up --detach` that waits how things go; nothing where there is none. */
export function reportToParent(report: UpReport): void {
  // It may be gone between the question and the answer; then nobody needs to know.
  if (process.connected) process.send?.(report, undefined, undefined, () => undefined)
}
