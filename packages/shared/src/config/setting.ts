import { z } from 'zod'
import { parseGoDuration } from './go-duration.ts'

/** One thing that can be set: what it is called, what it means, and how its text is read. */
export interface Setting<T> {
  /** Names in the environment and in files; where several are set, the first counts. */
  readonly names: readonly [string, ...string[]]
  /** The option on the command line, without its dashes. */
  readonly flag?: string
  /** Whether the option may be given several times, for one list. */
  readonly repeatable?: boolean
  readonly help: string
  /** How a value looks, for the documentation: `duration`, `true or false`. */
  readonly form: string
  /** Text, as a user would write it, so that it is read and documented in one way. Absent for a setting that may be unset. */
  readonly default?: string
  readonly required?: boolean
  /** Never shown in a message. */
  readonly secret?: boolean
  readonly schema: z.ZodType<T, string>
}

/** The form of a value and how to read it; `read` gives `undefined` for text that is not of that form. */
export interface Kind<T> {
  readonly form: string
  readonly read: (text: string) => T | undefined
  /** Continues the sentence "... is not". */
  readonly not: string
}

type Described<T> = Omit<Setting<T>, 'form' | 'schema'>

/** A setting that always has a value: by its default, or because it is required. */
export const setting = <T>(kind: Kind<T>, described: Described<T>): Setting<T> => ({
  ...described,
  form: kind.form,
  schema: z.string().transform((text, context) => {
    const value = kind.read(text.trim())
    if (value !== undefined) return value
    context.addIssue({ code: 'custom', message: `is not ${kind.not}` })
    return z.NEVER
  }),
})

/** A setting that may be left unset. */
export const optional = <T>(kind: Kind<T>, described: Described<T>): Setting<T | undefined> =>
  setting<T | undefined>(kind, described)

export const text: Kind<string> = {
  form: 'text',
  not: 'a text that says something',
  read: (value) => (value === '' ? undefined : value),
}

/** Also empty. */
export const anyText: Kind<string> = { form: 'text', not: 'a text', read: (value) => value }

export const wholeNumber = (least: number, most: number): Kind<number> => ({
  form: `whole number from ${least}`,
  not: `a whole number from ${least} to ${most}`,
  read: (value) => {
    const number = /^\d+$/.test(value) ? Number(value) : NaN
    return number >= least && number <= most ? number : undefined
  },
})

/** As Go's `strconv.ParseBool`, which ECS's agent uses. */
const truth: Readonly<Record<string, boolean>> = {
  ...Object.fromEntries(['1', 't', 'T', 'true', 'TRUE', 'True'].map((word) => [word, true])),
  ...Object.fromEntries(['0', 'f', 'F', 'false', 'FALSE', 'False'].map((word) => [word, false])),
}

export const flag: Kind<boolean> = {
  form: '`true` or `false`',
  not: 'true or false',
  read: (value) => truth[value],
}

/** In ms. */
export const duration = (leastMs: number, leastText: string): Kind<number> => ({
  form: 'duration',
  not: `a duration of at least ${leastText}, such as 30s, 10m or 1h30m`,
  read: (value) => {
    const ms = parseGoDuration(value)
    return ms !== undefined && ms >= leastMs ? ms : undefined
  },
})

/** One of the words that the table has as keys; what it stands for is the value. */
export const oneOf = <T>(words: Readonly<Record<string, T>>): Kind<T> => ({
  form: Object.keys(words)
    .map((word) => `\`${word}\``)
    .join(', '),
  not: `one of ${Object.keys(words).join(', ')}`,
  read: (value) => (Object.hasOwn(words, value) ? words[value] : undefined),
})

/** JSON that `schema` accepts. */
export const json = <T>(form: string, schema: z.ZodType<T>): Kind<T> => ({
  form,
  not: form,
  read: (value) => {
    try {
      return schema.safeParse(JSON.parse(value)).data
    } catch {
      return undefined
    }
  },
})

export interface PortRange {
  readonly first: number
  readonly last: number
}

export const portRange: Kind<PortRange> = {
  form: 'range of ports, both ends included',
  not: 'a range of ports such as 49153-65535',
  read: (value) => {
    const [, first, last] = (/^(\d+)-(\d+)$/.exec(value) ?? []).map(Number)
    if (first === undefined || last === undefined || first < 1 || last > 65_535 || first > last) return undefined
    return { first, last }
  },
}

/** `host:port`, several separated by commas. */
export const serverList: Kind<readonly string[]> = {
  form: '`host:port`, or several separated by commas',
  not: 'host:port, or several of them separated by commas',
  read: (value) => {
    const servers = value.split(',').map((server) => server.trim())
    return servers.every(isHostAndPort) ? servers : undefined
  },
}

function isHostAndPort(server: string): boolean {
  const [, port] = /^(?:\[[0-9a-fA-F:]+\]|[^\s:/[\]]+):(\d{1,5})$/.exec(server) ?? []
  return port !== undefined && Number(port) >= 1 && Number(port) <= 65_535
}
