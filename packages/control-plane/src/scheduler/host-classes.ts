import type { HostDescription } from './host-description.ts'

/** How many predicates have their verdicts remembered before the oldest is forgotten. */
const REMEMBERED_PREDICATES = 512

const UNKNOWN = 0
const YES = 1
const NO = 2

/** The verdicts of one predicate by class. */
export type ClassVerdicts = (classId: number) => boolean

/**
 * Hosts of equal attributes and agent version are one class, so that a predicate about these is asked once a class and
 * not once a host. A class is forgotten with its last host.
 */
export class HostClasses {
  private readonly ids = new Map<string, number>()
  private readonly signatures: string[] = []
  private readonly examples: HostDescription[] = []
  private readonly members: number[] = []
  private readonly unused: number[] = []
  private readonly verdicts = new Map<string, Uint8Array<ArrayBuffer>>()

  /** The class of `host`, which counts as one of its members until `leave`. */
  join(host: HostDescription): number {
    const signature = signatureOf(host)
    let id = this.ids.get(signature)
    if (id === undefined) {
      id = this.unused.pop() ?? this.signatures.length
      this.ids.set(signature, id)
      this.signatures[id] = signature
      this.examples[id] = host
      this.members[id] = 0
      for (const known of this.verdicts.values()) if (id < known.length) known[id] = UNKNOWN
    }
    this.members[id] = (this.members[id] as number) + 1
    return id
  }

  leave(id: number): void {
    const left = (this.members[id] as number) - 1
    this.members[id] = left
    if (left > 0) return
    this.ids.delete(this.signatures[id] as string)
    this.unused.push(id)
  }

  /** The verdicts of `predicate` by class, worked out as they are asked for and remembered under `name`. */
  verdictsOf(name: string, predicate: (example: HostDescription) => boolean): ClassVerdicts {
    let known = this.verdicts.get(name)
    if (known === undefined || known.length < this.signatures.length) {
      const longer = new Uint8Array(this.signatures.length * 2)
      if (known !== undefined) longer.set(known)
      known = longer
      this.remember(name, known)
    }
    const verdicts = known
    return (classId) => {
      const verdict = verdicts[classId] as number
      if (verdict !== UNKNOWN) return verdict === YES
      const answer = predicate(this.examples[classId] as HostDescription)
      verdicts[classId] = answer ? YES : NO
      return answer
    }
  }

  private remember(name: string, verdicts: Uint8Array<ArrayBuffer>): void {
    this.verdicts.delete(name)
    this.verdicts.set(name, verdicts)
    if (this.verdicts.size <= REMEMBERED_PREDICATES) return
    const oldest = this.verdicts.keys().next()
    if (!oldest.done) this.verdicts.delete(oldest.value)
  }
}

function signatureOf(host: HostDescription): string {
  const attributes = [...host.attributes].sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([host.agentVersion, attributes])
}
