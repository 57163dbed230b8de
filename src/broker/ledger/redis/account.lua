-- Daemons that use one Google account, as ../../account.ts has them: the calls of the last minute, and who writes to a spreadsheet.
--
--   PREFIX:google:A:daemons  hash  daemon → {seen, name, known, from, began}   those that were heard of lately; `known`: how many it knows of
--   PREFIX:google:A:read     zset  call, at                   calls of the last minute; write: the same
--   PREFIX:google:A:locked   hash  pool → until               Google has refused
--   PREFIX:writer:SHEET      {id, name, till}                 the daemon that accepts writes to this spreadsheet

local WINDOW = 61000 -- a minute, and the second that an answer may take
local SILENT = 12000 -- of a daemon that is there something is heard every 5 s
local FORGOTTEN = 3600000
local NO_WRITER = 600000
local RELEASED = 30000 -- longer than a restart takes: the same daemon has it again
local LONGEST_LOCK = 180000

local function of_account(a, name) return key('google:' .. a.account .. ':' .. name) end

--- A clock that was set back leaves calls of the future: they count as made now.
local function recent(a, pool)
  local name = of_account(a, pool)
  redis.call('ZREMRANGEBYSCORE', name, '-inf', now - WINDOW)
  for _, call in ipairs(redis.call('ZRANGEBYSCORE', name, '(' .. string.format('%.3f', now), '+inf')) do redis.call('ZADD', name, now, call) end
  return name
end

local function keep_call(a, pool, id, at)
  redis.call('ZADD', of_account(a, pool), 'NX', at, id)
  redis.call('PEXPIRE', of_account(a, pool), WINDOW)
end

local function daemon_of(a, id)
  local text = redis.call('HGET', of_account(a, 'daemons'), id)
  return text and cjson.decode(text)
end

local function keep_daemon(a, id, daemon)
  redis.call('HSET', of_account(a, 'daemons'), id, cjson.encode(daemon))
  redis.call('PEXPIRE', of_account(a, 'daemons'), FORGOTTEN)
end

--- Of several brokers of a daemon the youngest speaks for it.
local function seen(a, known)
  local before = daemon_of(a, a.id)
  local younger = not before or a.began >= before.began
  keep_daemon(a, a.id, {
    seen = now, name = a.name, known = known or before and before.known or 1,
    from = younger and told.from or before.from, began = younger and a.began or before.began,
  })
end

--- @return {id, name, known, silent} of each
local function daemons_of(a)
  local all, found = redis.call('HGETALL', of_account(a, 'daemons')), {}
  for i = 1, #all, 2 do
    local daemon = cjson.decode(all[i + 1])
    local last = math.min(daemon.seen, now)
    if last <= now - FORGOTTEN then redis.call('HDEL', of_account(a, 'daemons'), all[i])
    else found[#found + 1] = { id = all[i], name = daemon.name, known = daemon.known, silent = last <= now - SILENT } end
  end
  return found
end

local function locked_until(a, pool)
  return math.min(tonumber(redis.call('HGET', of_account(a, 'locked'), pool) or 0), now + LONGEST_LOCK)
end

local function lock(a, pool, span)
  redis.call('HSET', of_account(a, 'locked'), pool, string.format('%.0f', math.max(locked_until(a, pool), now + span)))
  redis.call('PEXPIRE', of_account(a, 'locked'), LONGEST_LOCK)
end

local function say(a, news)
  news.from = told.from
  redis.call('PUBLISH', of_account(a, 'news'), cjson.encode(news))
end

local function keep_writer(a, writer, span)
  writer = { id = writer.id, name = writer.name, till = now + span }
  redis.call('SET', key('writer:' .. a.sheet), cjson.encode(writer), 'PX', span)
  return writer
end

--- @return nil: nobody writes to the spreadsheet
local function kept_writer(a)
  local text = redis.call('GET', key('writer:' .. a.sheet))
  local writer = text and cjson.decode(text)
  return writer and math.min(writer.till, now + NO_WRITER) > now and writer or nil
end

--- One daemon writes to a spreadsheet: the first that may, until it stops or was not heard of for long. @return it, if there is one
local function writer_of(a)
  local kept = kept_writer(a)
  if kept and kept.id ~= a.id then return kept end
  if not kept and a.writer and a.writer.id ~= a.id then return keep_writer(a, a.writer, NO_WRITER) end
  if a.writes then return keep_writer(a, a, NO_WRITER) end
  if kept then redis.call('DEL', key('writer:' .. a.sheet)) end
  return nil
end

--- For `drover check`. An engine whose memory is full refuses the SET.
function steps.look(a)
  redis.call('SET', key('look'), 1, 'PX', 1)
  return a.sheet and kept_writer(a) or nil
end

--- A daemon begins, connects again or is still there. `calls` are those that it knows of: pool → [[call, age]…]; `restored` have no id (of an
--- older drover): pool → [age…]; `locked`: pool → ms. `others` and `writer` are what it knew of an engine that has forgotten everything.
--- @return what is known now, with the ages of all calls
function steps.join(a)
  local is_new = not daemon_of(a, a.id)
  seen(a)
  for _, other in ipairs(a.others) do
    if not daemon_of(a, other.id) then
      keep_daemon(a, other.id, { seen = now - SILENT, name = other.name, known = other.known, from = '', began = 0 })
    end
  end
  local reply = { calls = {}, locked = {} }
  for pool, calls in pairs(a.calls) do
    for _, call in ipairs(calls) do keep_call(a, pool, call[1], now - call[2]) end
    for i, age in ipairs(is_new and a.restored[pool] or {}) do keep_call(a, pool, told.from .. ':before:' .. i, now - age) end
    if a.locked[pool] and a.locked[pool] > 0 then lock(a, pool, a.locked[pool]) end
    local found = redis.call('ZRANGE', recent(a, pool), 0, -1, 'WITHSCORES')
    local all = {}
    for i = 1, #found, 2 do all[#all + 1] = { found[i], now - tonumber(found[i + 1]) } end
    reply.calls[pool] = all
    reply.locked[pool] = math.max(0, locked_until(a, pool) - now)
  end
  reply.daemons = daemons_of(a)
  seen(a, #reply.daemons)
  reply.writer = writer_of(a)
  if is_new then say(a, { daemons = reply.daemons }) end
  return reply
end

--- A call to Google, before it is made: at most `limit` in any minute over all daemons. Those that are silent may be making their part
--- of as many daemons as they know of. One that knows of none is left half: it must not stop the one that comes in its place.
--- @return when it may be asked for again, ms; 0: it may be made now and is counted
function steps.call(a)
  seen(a)
  local room = a.limit
  for _, daemon in ipairs(daemons_of(a)) do
    if daemon.silent then room = room - math.floor(a.limit / math.max(2, daemon.known)) end
  end
  local locked = locked_until(a, a.pool)
  if locked > now then return locked - now end
  local used = redis.call('ZCARD', recent(a, a.pool))
  if used >= room then
    local oldest = redis.call('ZRANGE', of_account(a, a.pool), used - math.max(1, room), used - math.max(1, room), 'WITHSCORES')
    return oldest[2] and math.max(1, tonumber(oldest[2]) + WINDOW - now) or 1000
  end
  keep_call(a, a.pool, a.call, now)
  say(a, { pool = a.pool, call = a.call })
  return 0
end

--- Google has refused a call: nobody makes another one for so long.
function steps.lock(a)
  lock(a, a.pool, a.span)
  say(a, { pool = a.pool, locked = a.span })
end

--- A daemon stops. @return whether it does: it goes on if its youngest broker is another one
function steps.part(a)
  local daemon = daemon_of(a, a.id)
  if not daemon or daemon.from ~= told.from then return false end
  redis.call('HDEL', of_account(a, 'daemons'), a.id)
  local writer = kept_writer(a)
  if writer and writer.id == a.id then keep_writer(a, a, RELEASED) end
  say(a, { daemons = daemons_of(a) })
  return true
end
