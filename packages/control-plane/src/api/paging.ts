import { invalidParameter } from './errors.ts'

interface PageRule {
  readonly defaultSize: number
  readonly maxSize: number
}

/** How many items a page holds, by operation, as the API reference gives it. */
const pageRules = {
  DescribeCapacityProviders: { defaultSize: 10, maxSize: 10 },
  ListAccountSettings: { defaultSize: 10, maxSize: 10 },
  ListAttributes: { defaultSize: 100, maxSize: 100 },
  ListClusters: { defaultSize: 100, maxSize: 100 },
  ListContainerInstances: { defaultSize: 100, maxSize: 100 },
  ListServiceDeployments: { defaultSize: 20, maxSize: 100 },
  ListServices: { defaultSize: 10, maxSize: 100 },
  ListServicesByNamespace: { defaultSize: 10, maxSize: 100 },
  ListTaskDefinitionFamilies: { defaultSize: 100, maxSize: 100 },
  ListTaskDefinitions: { defaultSize: 100, maxSize: 100 },
  ListTasks: { defaultSize: 100, maxSize: 100 },
} as const satisfies Record<string, PageRule>

/** An operation that answers in pages. */
export type PagedOperation = keyof typeof pageRules

/** The part of a request that says which page it wants. */
export interface PageRequest {
  readonly nextToken?: string | undefined
  readonly maxResults?: number | undefined
}

/** One page, and the token of the next when there is one. */
export interface Page<Item> {
  readonly items: Item[]
  readonly nextToken?: string
}

/** The opaque token that goes on after `lastKey`. */
export const encodeNextToken = (operation: PagedOperation, lastKey: string): string =>
  Buffer.from(JSON.stringify([operation, lastKey])).toString('base64url')

function parseToken(token: string): unknown {
  try {
    return JSON.parse(Buffer.from(token, 'base64url').toString())
  } catch {
    return undefined
  }
}

/**
 * The key a token goes on after.
 *
 * @throws InvalidParameterException when the token is not one that `operation` gave out.
 */
export function decodeNextToken(operation: PagedOperation, token: string): string {
  const parsed = parseToken(token)
  const key: unknown = Array.isArray(parsed) ? parsed[1] : undefined
  // Comparing with a fresh token catches everything else: other operations, further elements, sloppy base64.
  if (typeof key !== 'string' || encodeNextToken(operation, key) !== token) throw invalidParameter('Invalid token.')
  return key
}

/**
 * The size of the page that is asked for.
 *
 * @throws InvalidParameterException when `maxResults` is out of the operation's range.
 */
export function pageSize(operation: PagedOperation, maxResults: number | undefined): number {
  const { defaultSize, maxSize } = pageRules[operation]
  if (maxResults === undefined) return defaultSize
  if (maxResults < 1 || maxResults > maxSize) {
    throw invalidParameter(`maxResults must be between 1 and ${maxSize}, inclusive.`)
  }
  return maxResults
}

/** The index of the first item that comes after `lastKey` in the order of the keys. */
function indexAfter<Item>(
  sorted: readonly Item[],
  keyOf: (item: Item) => string,
  lastKey: string,
  order: Order,
): number {
  const isAfter = order === 'ASC' ? (key: string) => key > lastKey : (key: string) => key < lastKey
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isAfter(keyOf(sorted[middle] as Item))) high = middle
    else low = middle + 1
  }
  return low
}

type Order = 'ASC' | 'DESC'

/**
 * Cuts the page that `request` asks for out of `sorted`, whose keys must be unique and ascend (descend with `DESC`)
 * in the order of JavaScript's `<`. A page goes on after the last key of the one before, so items that come and go
 * between two calls neither repeat nor hide others.
 *
 * @throws InvalidParameterException on a bad token or `maxResults`.
 */
export function takePage<Item>(
  operation: PagedOperation,
  request: PageRequest,
  sorted: readonly Item[],
  keyOf: (item: Item) => string,
  order: Order = 'ASC',
): Page<Item> {
  const size = pageSize(operation, request.maxResults)
  // Clients that build requests by hand send the first page's token as an empty string.
  const lastKey = request.nextToken ? decodeNextToken(operation, request.nextToken) : undefined
  const start = lastKey === undefined ? 0 : indexAfter(sorted, keyOf, lastKey, order)
  const items = sorted.slice(start, start + size)
  const last = items.at(-1)
  if (last === undefined || start + size >= sorted.length) return { items }
  return { items, nextToken: encodeNextToken(operation, keyOf(last)) }
}
