import { type Random, randomBelow, seededRandom } from '@berth/shared/random.ts'
import { type Json, validRequest } from './valid-request.ts'

/** A request that may well be wrong, and how it came to be. */
export interface FuzzRequest {
  readonly seed: number
  /** Its place in the run; with the seed it stands for exactly this request. */
  readonly index: number
  readonly operation: string
  /** What was done to a valid request, in words. */
  readonly mutation: string
  /** The body as it goes over the wire; may be no JSON at all. */
  readonly body: string
}

/** A JSON value with text in it that no object in memory could be written as. */
interface Raw {
  readonly raw: string
}

type Mutant = (value: Json, random: Random) => Json | Raw

const nested = (depth: number, open: string, close: string): Raw => ({ raw: open.repeat(depth) + close.repeat(depth) })

/** Takes an object's text, or makes one, and puts `members` in front. */
const withMembers = (value: Json, members: string): Raw => {
  const text = value !== null && typeof value === 'object' && !Array.isArray(value) ? JSON.stringify(value) : '{}'
  return { raw: text === '{}' ? `{${members}}` : `{${members},${text.slice(1)}` }
}

const oddNumbers = [
  '-1',
  '0',
  '-0',
  '1.5',
  '1e400',
  '-1e400',
  '2147483648',
  '-2147483649',
  '9007199254740993',
  '1e-400',
  '0.1e1',
]
const oddStrings = [
  '',
  '\u0000',
  '\ud800',
  'a\udc00b',
  '\u202e',
  'x'.repeat(70_000),
  '${jndi}',
  '../..',
  '%00',
  '😀'.repeat(300),
]
const oddKeys = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '',
  'noSuchMember',
  '\ud800',
  'x'.repeat(5000),
]
const otherTypes: readonly Json[] = [null, true, 7, 'text', [], {}, [[]], { a: 1 }, [null]]

const pick = <Item>(random: Random, items: readonly Item[]): Item => items[randomBelow(random, items.length)] as Item

/** What may happen to any one value inside a request. */
const mutants: Readonly<Record<string, Mutant>> = {
  'left as it is': (value) => value,
  'replaced by another type': (_, random) => pick(random, otherTypes),
  'replaced by an odd number': (_, random) => ({ raw: pick(random, oddNumbers) }),
  'replaced by an odd string': (_, random) => pick(random, oddStrings),
  'given an odd member': (value, random) => withMembers(value, `${JSON.stringify(pick(random, oddKeys))}:{"a":1}`),
  'given a __proto__ of text': (value) => withMembers(value, '"__proto__":"x"'),
  'given a member twice': (value) => withMembers(value, '"name":"a","name":"b"'),
  'put into a list': (value) => [value],
  'put into an object': (value) => ({ value }),
  'repeated a hundred times': (value) => Array.from({ length: 100 }, () => value),
  'replaced by 10,000 nested lists': () => nested(10_000, '[', ']'),
  'replaced by 10,000 nested objects': () => ({ raw: `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}` }),
  'cut in the middle': (value) => ({ raw: JSON.stringify(value).slice(0, -1) }),
  'replaced by nothing': () => ({ raw: '' }),
  'replaced by NaN': () => ({ raw: 'NaN' }),
}

/** What is most telling to do to a value of each type; any other mutant has its turn too. */
const fitting: Readonly<Record<string, string>> = {
  number: 'replaced by an odd number',
  string: 'replaced by an odd string',
  object: 'given an odd member',
  boolean: 'replaced by another type',
}

/** The paths of all values inside `value`, itself included. */
function pathsOf(value: Json): (string | number)[][] {
  if (value === null || typeof value !== 'object') return [[]]
  const entries: [string | number, Json][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value)
  return [[], ...entries.flatMap(([key, inner]) => pathsOf(inner).map((path) => [key, ...path]))]
}

const isRaw = (value: Json | Raw): value is Raw =>
  value !== null && typeof value === 'object' && 'raw' in value && typeof value.raw === 'string'

/** The text of `value` with `mutant` applied at `path`. */
function mutatedText(value: Json, path: readonly (string | number)[], mutant: Mutant, random: Random): string {
  const [step, ...rest] = path
  if (step === undefined) {
    const mutated = mutant(value, random)
    return isRaw(mutated) ? mutated.raw : JSON.stringify(mutated)
  }
  const inner = (key: string | number, item: Json) =>
    key === step ? mutatedText(item, rest, mutant, random) : JSON.stringify(item)
  if (Array.isArray(value)) return `[${value.map((item, i) => inner(i, item)).join(',')}]`
  const entries = Object.entries(value as Record<string, Json>)
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${inner(key, item)}`).join(',')}}`
}

/** Makes a request that is right: by the model alone, unless a test knows better. */
export type DrawRequest = (operation: string, random: Random) => Json

/** The one request that `seed` and `index` stand for. */
export function fuzzRequest(
  seed: number,
  index: number,
  operations: readonly string[],
  draw: DrawRequest = validRequest,
): FuzzRequest {
  const random = seededRandom(seed * 1_000_003 + index)
  const operation = pick(random, operations)
  const valid = draw(operation, random)
  const path = pick(random, pathsOf(valid))
  const kind = typeof path.reduce<Json | undefined>(
    (value, step) => (value as Record<string | number, Json>)[step],
    valid,
  )
  const name = (randomBelow(random, 2) === 0 ? fitting[kind] : undefined) ?? pick(random, Object.keys(mutants))
  const body = mutatedText(valid, path, mutants[name] as Mutant, random)
  return { seed, index, operation, mutation: `"${path.join('.')}" ${name}`, body }
}

/**
 * `count` requests, the same for the same seed and operations: valid ones, each with one value changed for the worse
 * (and one in thirty left alone).
 */
export function* fuzzRequests(
  seed: number,
  count: number,
  operations: readonly string[],
  draw?: DrawRequest,
): Generator<FuzzRequest> {
  for (let index = 0; index < count; index++) yield fuzzRequest(seed, index, operations, draw)
}

/** The command that sends just this request again. */
export const replayLine = ({ seed, index, operation, mutation }: FuzzRequest): string =>
  `BERTH_FUZZ_SEED=${seed} BERTH_FUZZ_ONLY=${index} pnpm vitest run --project unit test/conformance/api-fuzz.test.ts   # ${operation}: ${mutation}`
