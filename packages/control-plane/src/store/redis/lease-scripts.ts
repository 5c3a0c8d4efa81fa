import { luaScript } from './lua-script.ts'

/*
 * The three transitions of the lease. Its deadline is a field, in ms of Redis's own clock: the key never expires, so that the
 * fence stays readable, and comparable, whatever happens to its holder. That clock may jump. Forward, the lease ends early, and the fence
 * keeps its holder out; back, it would last longer by the jump, so that for how long it was granted is a field as well.
 *
 * KEYS[1] is the cell (hash) in each of them, and each answers
 *   {0, epoch, holder}                       the lease is held under this fence
 *   {1, epoch, holder, leader, expiresInMs}  it is somebody else's; nobody's, if holder is empty
 */

const now = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local cell = redis.call('HMGET', KEYS[1], 'epoch', 'holder', 'leader', 'deadline', 'granted')
local epoch = cell[1] or '0'
local holder = cell[2] or ''
local deadline = tonumber(cell[4] or '0')
`

const taken = `return {1, epoch, holder, cell[3] or '', deadline - now}`

/**
 * Takes the lease when it is free, expired, the caller's own or its dead predecessor's, under an epoch above all that were.
 *
 * ARGV[1]  who asks
 * ARGV[2]  for how long, in ms
 * ARGV[3]  where others reach the holder, as JSON
 * ARGV[4]  the highest epoch that the caller ever saw: a store that went back must not give it out again
 * ARGV[5]  a holder that is known to have ended; empty for none
 */
export const acquireLeaseScript = luaScript(
  'acquire-lease',
  `${now}
local granted = tonumber(cell[5] or deadline)
if deadline - now > granted then
  deadline = now + granted
  redis.call('HSET', KEYS[1], 'deadline', string.format('%.0f', deadline))
end
if holder ~= '' and holder ~= ARGV[1] and holder ~= ARGV[5] and deadline > now then ${taken} end
local next = string.format('%.0f', math.max(tonumber(epoch), tonumber(ARGV[4])) + 1)
redis.call('HSET', KEYS[1], 'epoch', next, 'holder', ARGV[1], 'leader', ARGV[3],
  'deadline', string.format('%.0f', now + ARGV[2]), 'granted', ARGV[2])
return {0, next, ARGV[1]}
`,
)

/**
 * Keeps the lease, also when it has expired and nobody took it meanwhile.
 *
 * ARGV[1]  the fence's epoch
 * ARGV[2]  the fence's holder
 * ARGV[3]  for how long from now, in ms
 */
export const renewLeaseScript = luaScript(
  'renew-lease',
  `${now}
if epoch ~= ARGV[1] or holder ~= ARGV[2] then ${taken} end
redis.call('HSET', KEYS[1], 'deadline', string.format('%.0f', now + ARGV[3]), 'granted', ARGV[3])
return {0, epoch, holder}
`,
)

/**
 * Gives the lease back. The epoch stays, so that it is never given out again; without a holder nobody's writes are taken.
 *
 * ARGV[1]  the fence's epoch
 * ARGV[2]  the fence's holder
 */
export const releaseLeaseScript = luaScript(
  'release-lease',
  `${now}
if epoch ~= ARGV[1] or holder ~= ARGV[2] then ${taken} end
redis.call('HSET', KEYS[1], 'holder', '', 'leader', '', 'deadline', '0')
return {0, epoch, ''}
`,
)
