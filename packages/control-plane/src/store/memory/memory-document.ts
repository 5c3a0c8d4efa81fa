import type { SharedDocument } from '../shared-document.ts'

/** A document in memory, for tests. */
export function memoryDocument(): SharedDocument {
  let text: string | undefined
  return {
    read: () => Promise.resolve(text),
    swap(expected, next) {
      if (text === expected) text = next
      return Promise.resolve(text as string)
    },
  }
}
