import type { HostAnswer, HostQuestion } from '@berth/shared/gen/berth/agent/v1/agent.ts'

type Question = NonNullable<HostQuestion['question']>
type Answer = NonNullable<HostAnswer['answer']>

interface Asked {
  readonly question: HostQuestion
  readonly answered: (answer: Answer) => void
}

/**
 * What this host wants to know of the control plane and has no answer to yet. Questions outlive sessions: the next one asks them again.
 */
export class HostQuestions {
  readonly #asked = new Map<number, Asked>()
  #lastId = 0
  /** Called with each new question. */
  listener: (question: HostQuestion) => void = () => {}

  /**
   * Resolves with the answer, however long that takes.
   *
   * @throws the signal's reason.
   */
  async ask(question: Question, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted()
    const id = ++this.#lastId
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const asked: Asked = { question: { id, question }, answered: resolve }
    const givenUp = () => reject(signal.reason as Error)
    this.#asked.set(id, asked)
    signal.addEventListener('abort', givenUp, { once: true })
    this.listener(asked.question)
    try {
      return await promise
    } finally {
      signal.removeEventListener('abort', givenUp)
      this.#asked.delete(id)
    }
  }

  /** Those without an answer, in their order. */
  open(): readonly HostQuestion[] {
    return Array.from(this.#asked.values(), ({ question }) => question)
  }

  /** The control plane has answered; an answer to what nobody asks any more is let go. */
  answer({ id, answer }: HostAnswer): void {
    if (answer) this.#asked.get(id)?.answered(answer)
  }
}
