import { z } from 'zod'
import type { Kind } from '@berth/shared/config/setting.ts'

/** Names and values as ECS allows them: PutAttributes' own limits. */
const schema = z.record(z.string().regex(/^[A-Za-z0-9_./-]{1,128}$/), z.string().max(128)).readonly()

/** Attributes as Amazon's agent is told them, by a JSON object, or as a person writes them: `stack=blue,rack=7`. */
export const attributes: Kind<Readonly<Record<string, string>>> = {
  form: 'a JSON object of texts, such as {"stack": "blue"}, or `stack=blue,rack=7`',
  not: 'a JSON object of texts, such as {"stack": "blue"}, nor a list such as stack=blue,rack=7',
  read(text) {
    const pairs = text.startsWith('{') ? jsonOf(text) : pairsOf(text)
    return schema.safeParse(pairs).data
  },
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A name without a sign is an attribute without a value. */
function pairsOf(text: string): unknown {
  if (text === '') return undefined
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const [name = '', ...value] = pair.trim().split('=')
      return [name, value.join('=')]
    }),
  )
}
