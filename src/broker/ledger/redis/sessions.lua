-- Who is in, as ../slots.ts has it, on an engine that several brokers share. Every function is one atomic step.
--
--   PREFIX:sessions  hash  id → {user, admin, since, rank, held}     those that hold a slot
--   PREFIX:leases    zset  id, until (ms of the engine's clock)
--   PREFIX:user:U    zset  id, rank                                  a user's own, the oldest first
--   PREFIX:ended     hash  id → {user, since, why, at}               must not come in again although the cookie is good
--   PREFIX:ended-at  zset  id, at · PREFIX:ended:U list of ids, the oldest first
--   PREFIX:marks     hash  user → {since, at}                        all of a user's sessions until then are ended
--   PREFIX:freed     list  when slots became free lately

local FRESH = 30000 -- a login is no older when it is first heard of
local HELD_FOR = 45000
local REMEMBERED = 31 * 24 * 3600 * 1000
local MOST_ENDED = 32
local FREED_KEPT = 16
local LEAST_WAIT, LONGEST_WAIT = 10000, 120000

--- What this step has ended: id, why, and of those that are over for good whose they were.
local out = {}

local function read(kind, field)
  local text = redis.call('HGET', key(kind), field)
  return text and cjson.decode(text)
end

local function write(kind, field, value)
  redis.call('HSET', key(kind), field, cjson.encode(value))
end

local function is_in(id)
  return redis.call('ZSCORE', key('leases'), id) ~= false
end

local function used()
  return redis.call('ZCARD', key('leases'))
end

local function mark(user, since, at)
  local before = read('marks', user)
  write('marks', user, { since = math.max(since, before and before.since or 0), at = at })
end

local function forget(id, user)
  redis.call('HDEL', key('ended'), id)
  redis.call('ZREM', key('ended-at'), id)
  redis.call('LREM', key('ended:' .. user), 1, id)
end

--- Those of one user that are remembered by id are bounded; older ones are by the time they began.
local function remember(id, user, since, why, at)
  write('ended', id, { user = user, since = since, why = why, at = at })
  redis.call('ZADD', key('ended-at'), at, id)
  local own = key('ended:' .. user)
  if redis.call('RPUSH', own, id) <= MOST_ENDED then return end
  local oldest = redis.call('LINDEX', own, 0)
  local surplus = read('ended', oldest)
  if surplus then mark(user, surplus.since, at) end
  forget(oldest, user)
end

local function free(id, why)
  local session = read('sessions', id)
  if not session then return false end
  redis.call('HDEL', key('sessions'), id)
  redis.call('ZREM', key('leases'), id)
  redis.call('ZREM', key('user:' .. session.user), id)
  if why ~= 'taken-over' then
    redis.call('RPUSH', key('freed'), now)
    redis.call('LTRIM', key('freed'), -FREED_KEPT, -1)
  end
  local over = why ~= 'expired'
  out[#out + 1] = { id = id, why = why, freed = true, user = over and session.user or nil, since = over and session.since or nil }
  return true
end

local function expire()
  local late = redis.call('ZRANGEBYSCORE', key('leases'), '-inf', now)
  for _, id in ipairs(late) do free(id, 'expired') end
  return #late
end

--- Ends a session for good. @return why it is over
local function finish(session, why)
  local before = read('ended', session.id)
  if before then return before.why end
  if not free(session.id, why) then
    out[#out + 1] = { id = session.id, why = why, user = session.user, since = session.since }
  end
  remember(session.id, session.user, session.since, why, now)
  return why
end

local function why_out(session)
  local ended = read('ended', session.id)
  if ended then return ended.why end
  local marked = read('marks', session.user)
  if not marked or session.since > marked.since then return nil end
  -- A clock may have been set back since the mark was made: a login of this moment is none of those that it means.
  if math.abs(session.since - now) <= FRESH and math.abs(marked.at - now) > FRESH then return nil end
  return 'revoked'
end

local function renew(id, held, rules)
  local session = read('sessions', id)
  session.held = held
  write('sessions', id, session)
  redis.call('ZADD', key('leases'), now + (held and HELD_FOR or rules.lease), id)
end

--- A user's login of this moment is the newest, whatever the clocks say.
local function rank_of(session)
  local newest = redis.call('ZRANGE', key('user:' .. session.user), -1, -1, 'WITHSCORES')[2]
  if math.abs(session.since - now) > FRESH then return session.since end
  return math.max(session.since, (tonumber(newest) or 0) + 1)
end

--- @param taken slots, without that of a session that leaves
local function full(taken, rules, shortage)
  local freed = redis.call('LRANGE', key('freed'), 0, -1)
  local pace = #freed > 0 and (now - tonumber(freed[1])) / #freed or LONGEST_WAIT
  local wait = math.floor(math.min(LONGEST_WAIT, math.max(LEAST_WAIT, pace)) + 0.5)
  return { is = 'full', used = used(), max = rules.max, retryAfter = wait, because = taken < rules.max and shortage or nil }
end

local function enter(session, rules, before, shortage, may_end)
  if is_in(session.id) then
    renew(session.id, false, rules)
    return { is = 'in' }
  end
  local over = why_out(session)
  if over then return { is = over } end
  local rank = rank_of(session)
  local leaving = before and is_in(before.id)
  local own, newer = {}, 0
  local all = redis.call('ZRANGE', key('user:' .. session.user), 0, -1, 'WITHSCORES')
  for i = 1, #all, 2 do
    if not (leaving and all[i] == before.id) then
      own[#own + 1] = all[i]
      if tonumber(all[i + 1]) > rank then newer = newer + 1 end
    end
  end
  local taken = used() - (leaving and 1 or 0)
  local surplus = math.max(0, #own - rules.perUser + 1)
  if surplus > 0 then
    if rules.conflict == 'refuse' then return { is = 'refused', most = rules.perUser } end
    if newer >= rules.perUser then return { is = finish(session, 'taken-over') } end
  elseif (taken >= rules.max or (shortage and not leaving)) and not session.admin then
    return full(taken, rules, shortage)
  end
  local ends = surplus > 0 or (before and not read('ended', before.id))
  if ends and not may_end then return { is = 'away', retryAfter = 2000 } end
  for i = 1, surplus do
    local old = read('sessions', own[i])
    finish({ id = own[i], user = old.user, since = old.since }, 'taken-over')
  end
  if before then finish(before, 'revoked') end
  local kept = { user = session.user, admin = session.admin, since = session.since, rank = rank, held = false }
  write('sessions', session.id, kept)
  redis.call('ZADD', key('leases'), now + rules.lease, session.id)
  redis.call('ZADD', key('user:' .. session.user), rank, session.id)
  return { is = 'in', ends = ends and true or nil }
end

--- A worker that takes a session for one that is in is believed if there is nothing against it: the engine may have forgotten.
local function use(session, held, rules, shortage)
  if not is_in(session.id) then
    local said = enter(session, rules, nil, shortage, true).is
    if said ~= 'in' then
      out[#out + 1] = { id = session.id, why = (said == 'taken-over' or said == 'revoked') and said or 'expired' }
      return
    end
  end
  renew(session.id, held, rules)
end

--- Forgets what no cookie can bring back any more.
local function sweep()
  local old = now - REMEMBERED
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key('ended-at'), '-inf', old, 'LIMIT', 0, 1000)) do
    local ended = read('ended', id)
    if ended then forget(id, ended.user) else redis.call('ZREM', key('ended-at'), id) end
  end
  local marks = redis.call('HGETALL', key('marks'))
  for i = 1, #marks, 2 do
    if cjson.decode(marks[i + 1]).at < old then redis.call('HDEL', key('marks'), marks[i]) end
  end
end

--- @param a.within counters that must have room
function steps.enter(a)
  expire()
  return weigh(a.within) or enter(a.session, a.rules, a.before, a.shortage, a.mayEnd)
end

function steps.leave(a)
  finish(a.session, 'revoked')
end

--- Ends all of a user's sessions, those too that are not in now. @return how many were in
function steps.leave_user(a)
  local own = redis.call('ZRANGE', key('user:' .. a.user), 0, -1)
  for _, id in ipairs(own) do finish({ id = id, user = a.user, since = read('sessions', id).since }, 'revoked') end
  mark(a.user, now, now)
  return #own
end

--- What sessions did, and counts that were made without asking. @param a.level a window, whose count is returned
function steps.renew(a)
  expire()
  for _, session in ipairs(a.known) do
    if not is_in(session.id) then out[#out + 1] = { id = session.id, why = why_out(session) or 'expired' } end
  end
  for _, session in ipairs(a.active) do use(session, false, a.rules, a.shortage) end
  for _, session in ipairs(a.held) do use(session, true, a.rules, a.shortage) end
  for _, tally in ipairs(a.tallies) do count(tally) end
  return level(a.level)
end

function steps.reap()
  return expire()
end

function steps.sweep()
  sweep()
end

function steps.list()
  expire()
  local lines = {}
  local leases = redis.call('ZRANGE', key('leases'), 0, -1, 'WITHSCORES')
  for i = 1, #leases, 2 do
    local line = read('sessions', leases[i])
    line.id, line.left, line.rank = leases[i], tonumber(leases[i + 1]) - now, nil
    lines[#lines + 1] = line
  end
  return lines
end

--- What a broker knows of sessions that ended, told to an engine that may have forgotten it.
function steps.restore(a)
  for _, one in ipairs(a.ended) do
    if not read('ended', one.id) then
      free(one.id, one.why)
      remember(one.id, one.user, one.since, one.why, one.at)
    end
  end
  for _, one in ipairs(a.marks) do
    mark(one.user, one.since, one.at)
    for _, id in ipairs(redis.call('ZRANGE', key('user:' .. one.user), 0, -1)) do
      local since = read('sessions', id).since
      if since <= one.since then finish({ id = id, user = one.user, since = since }, 'revoked') end
    end
  end
end
