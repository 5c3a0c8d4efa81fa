import { z } from 'zod'
import type { Kind } from '@berth/shared/config/setting.ts'
import { isCustomResourceName } from '@berth/shared/custom-resource-name.ts'

const schema = z.record(z.string().refine(isCustomResourceName), z.int().min(1).max(999_999_999)).readonly()

/** Resources by name and how many there are: a JSON object, or as a person writes them: `fpga=2,licence=10`. */
export const resourceAmounts: Kind<Readonly<Record<string, number>>> = {
  form: 'a JSON object of whole numbers, such as {"fpga": 2}, or `fpga=2,licence=10`',
  not: 'a JSON object of whole numbers from 1, such as {"fpga": 2}, nor a list such as fpga=2,licence=10, without the names that ECS has',
  read: (text) => schema.safeParse(text.startsWith('{') ? jsonOf(text) : pairsOf(text)).data,
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function pairsOf(text: string): unknown {
  if (text === '') return undefined
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const [, name = '', amount = ''] = /^\s*([^=]+)=(\d+)\s*$/.exec(pair) ?? []
      return [name, amount === '' ? undefined : Number(amount)]
    }),
  )
}
