/** How long something may take that takes a second or two on an idle machine, in ms. */
const patienceMs = 60_000
const everyMs = 100

/**
 * Asks again and again until `ask` neither throws nor answers `undefined`, and resolves with what it answered.
 *
 * @throws what `ask` threw last, or an Error that names `what`, when it has not come true within a minute (or `withinMs`).
 */
export async function eventually<Answer>(
  what: string,
  ask: () => Promise<Answer | undefined>,
  withinMs = patienceMs,
): Promise<Answer> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const outcome = await ask().then(
      (answer) => ({ answer }),
      (error: unknown) => ({ error }),
    )
    if ('answer' in outcome && outcome.answer !== undefined) return outcome.answer
    if (performance.now() > deadline) {
      throw new Error(`not within ${withinMs} ms: ${what}`, 'error' in outcome ? { cause: outcome.error } : {})
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}
