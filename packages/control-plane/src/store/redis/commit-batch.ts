import type { CommitBatch } from '../store.ts'
import { luaScript } from './lua-script.ts'
import { fieldOf, type RedisKeys } from './redis-keys.ts'

/**
 * Writes one batch, if its fence holds and it is the next one.
 *
 * KEYS[1]    the cell (hash)
 * KEYS[2]    the feed (stream)
 * KEYS[3]    the names of the tables (set)
 * KEYS[4..]  the tables that the batch touches (hashes)
 *
 * ARGV[1]    the fence's epoch
 * ARGV[2]    the fence's holder
 * ARGV[3]    the batch's sequence
 * ARGV[4]    how many entries the feed keeps, roughly; 0 = no feed
 * ARGV[5]    how many parts follow; each is
 *              its table's place in KEYS, the table's name, 'put' or 'delete', n, and n pairs of field and value
 *
 * Answers
 *   {0}                 it is in, now or from before
 *   {1, epoch, holder}  somebody else may write, nobody if holder is empty
 *   {2, durable}        it is not the next one after `durable`
 *
 * The sequence is written last: were the script ever to fail half way, the same batch sent again would mend it. The feed is
 * a hint: if it does not take an entry (somebody wrote to it, or emptied the cell around it), it begins anew.
 */
export const commitBatchScript = luaScript(
  'commit-batch',
  `
local cell = redis.call('HMGET', KEYS[1], 'epoch', 'holder', 'sequence')
if cell[1] ~= ARGV[1] or cell[2] ~= ARGV[2] then
  return {1, cell[1] or '0', cell[2] or ''}
end
local durable = tonumber(cell[3] or '0')
local sequence = tonumber(ARGV[3])
if sequence <= durable then return {0} end
if sequence ~= durable + 1 then return {2, durable} end

local feedLength = tonumber(ARGV[4])
local parts = tonumber(ARGV[5])

local function tell(part, tableName, kind, first, last)
  local id = ARGV[3] .. '-' .. part
  local header = ARGV[1] .. ' ' .. part .. ' ' .. parts .. ' ' .. kind .. ' ' .. tableName
  return redis.pcall('XADD', KEYS[2], 'MAXLEN', '~', feedLength, id, 'part', header, unpack(ARGV, first, last))
end

local at = 6
for part = 0, parts - 1 do
  local tableKey = KEYS[tonumber(ARGV[at])]
  local tableName = ARGV[at + 1]
  local kind = ARGV[at + 2]
  local count = tonumber(ARGV[at + 3])
  local first = at + 4
  local last = first + 2 * count - 1
  if count > 0 then
    if kind == 'put' then
      redis.call('SADD', KEYS[3], tableName)
      redis.call('HSET', tableKey, unpack(ARGV, first, last))
    else
      local fields = {}
      for i = first, last, 2 do fields[#fields + 1] = ARGV[i] end
      redis.call('HDEL', tableKey, unpack(fields))
    end
  end
  if feedLength > 0 then
    local told = tell(part, tableName, kind, first, last)
    if type(told) == 'table' and told.err then
      redis.call('DEL', KEYS[2])
      tell(part, tableName, kind, first, last)
    end
  end
  at = last + 1
end
redis.call('HSET', KEYS[1], 'sequence', ARGV[3])
return {0}
`,
)

/** Changes that one part holds at most: Lua's `unpack` takes a few thousand values, and short parts let the feed drop old ones evenly. */
const changesPerPart = 100

type Part = {
  readonly table: string
  readonly kind: 'put' | 'delete'
  /** Field and value by turns; the value of a deleted record is empty. */
  readonly pairs: string[]
}

/** The KEYS and ARGV of a batch. Of a record that it names twice, the last value counts. */
export function commitBatchArguments(
  { fence, sequence, changes }: CommitBatch,
  keys: RedisKeys,
  feedLength: number,
): { readonly keys: string[]; readonly args: (string | number)[] } {
  const tables = byTable(changes)
  const scriptKeys = [keys.cell, keys.feed, keys.tables]
  const parts: Part[] = []
  const place = new Map<string, number>()
  for (const [table, records] of tables) {
    place.set(table, scriptKeys.push(keys.table(table)))
    parts.push(...partsOf(table, records))
  }
  if (parts.length === 0) parts.push({ table: '', kind: 'put', pairs: [] })
  const args: (string | number)[] = [fence.epoch, fence.holder, sequence, feedLength, parts.length]
  for (const { table, kind, pairs } of parts) {
    args.push(place.get(table) ?? 1, table, kind, pairs.length / 2)
    for (const text of pairs) args.push(text)
  }
  return { keys: scriptKeys, args }
}

function byTable(changes: CommitBatch['changes']): Map<string, Map<string, string | null>> {
  const tables = new Map<string, Map<string, string | null>>()
  for (const { table, key, value } of changes) {
    let records = tables.get(table)
    if (!records) tables.set(table, (records = new Map()))
    records.set(key, value)
  }
  return tables
}

function partsOf(table: string, records: ReadonlyMap<string, string | null>): Part[] {
  const parts: Part[] = []
  const open: { put?: Part; delete?: Part } = {}
  for (const [key, value] of records) {
    const kind = value === null ? 'delete' : 'put'
    let part = open[kind]
    if (!part || part.pairs.length === 2 * changesPerPart) parts.push((part = open[kind] = { table, kind, pairs: [] }))
    part.pairs.push(fieldOf(key), value ?? '')
  }
  return parts
}
