import type { Tag } from '@aws-sdk/client-ecs'
import type { TagRecord } from '../../cell/records.ts'
import { type ApiError, invalidParameter } from '../errors.ts'

/** How many tags one resource may have. */
export const tagsPerResource = 50

/** Keys that begin so are AWS's own, in whatever case. */
const reservedPrefix = 'aws:'

/**
 * The tags of a request as they are kept. A tag without a value has an empty one.
 *
 * @throws InvalidParameterException on a key that is missing, given twice or reserved, and on more than 50 tags.
 */
export function tagRecordOf(tags: readonly Tag[] | undefined): TagRecord {
  const byKey = new Map<string, string>()
  for (const { key, value } of tags ?? []) {
    const name = usableKey(key)
    if (byKey.has(name)) throw invalidParameter('Duplicate keys found. Please remove or change duplicate keys.')
    byKey.set(name, value ?? '')
  }
  return withinLimit(Object.fromEntries(byKey))
}

/**
 * `tags` with those of a TagResource put over them.
 *
 * @throws InvalidParameterException as `tagRecordOf`, the limit counting what was there.
 */
export const withTags = (tags: TagRecord, added: readonly Tag[]): TagRecord =>
  withinLimit({ ...tags, ...tagRecordOf(added) })

/** `tags` without `keys`; a key that is not there is no mistake. @throws InvalidParameterException on a reserved key. */
export function withoutTags(tags: TagRecord, keys: readonly string[]): TagRecord {
  const gone = new Set(keys.map(usableKey))
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !gone.has(key)))
}

/** Tags as ECS answers them. */
export const tagListOf = (tags: TagRecord): Tag[] => Object.entries(tags).map(([key, value]) => ({ key, value }))

function usableKey(key: string | undefined): string {
  if (key === undefined || key === '') throw invalidParameter('Tag key cannot be null or empty.')
  if (key.toLowerCase().startsWith(reservedPrefix)) throw reservedKey()
  return key
}

function withinLimit(tags: TagRecord): TagRecord {
  if (Object.keys(tags).length > tagsPerResource)
    throw invalidParameter(`Too many tags: a resource can have at most ${tagsPerResource}.`)
  return tags
}

const reservedKey = (): ApiError =>
  invalidParameter("Tag keys starting with 'aws:' are reserved for AWS use and can not be added or removed.")
