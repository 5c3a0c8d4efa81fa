/**
 * A function that answers as `work` does, and asks it once for as long as it remembers the answer: it remembers up to `most` answers, and then
 * forgets all of them.
 */
export function remembering<Answer>(most: number, work: (question: string) => Answer): (question: string) => Answer {
  const known = new Map<string, { readonly answer: Answer }>()
  return (question) => {
    const remembered = known.get(question)
    if (remembered !== undefined) return remembered.answer
    if (known.size === most) known.clear()
    const answer = work(question)
    known.set(question, { answer })
    return answer
  }
}
