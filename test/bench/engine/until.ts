/** Asks every `everyMs` until the answer is not `undefined`. @throws after `withinMs`, saying for what it waited. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined>,
  { everyMs, withinMs = 120_000 }: { readonly everyMs: number; readonly withinMs?: number },
): Promise<T> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (performance.now() > deadline) throw new Error(`waited ${withinMs} ms for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}
