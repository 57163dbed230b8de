-- Counters, as ../counts.ts has them. A deed is {key, most, per, times, burst?}; per is ms, or 'day' (of which the broker says which one it is).
--
--   PREFIX:w:KEY      hash  slice → count      a sliding window in twelfths: a slice counts until the youngest moment in it is out
--   PREFIX:b:KEY      hash  debt, at           a token bucket (GCRA): tokens taken and not yet refilled, times `per`
--   PREFIX:d:DAY:KEY  int                      a day's count

local SLICES = 12
local DAY_KEPT = 49 * 3600 * 1000

local sliding, bucket, days = {}, {}, {}

--- @return slices newest first: {slice, count}; and the slice of now
local function slices_of(deed)
  local head = math.floor(now / (deed.per / SLICES))
  local all = redis.call('HGETALL', key('w:' .. deed.key .. ':' .. deed.per))
  local found = {}
  for i = 1, #all, 2 do
    local slice = tonumber(all[i])
    if slice >= head - SLICES then found[#found + 1] = { slice, tonumber(all[i + 1]) }
    else redis.call('HDEL', key('w:' .. deed.key .. ':' .. deed.per), all[i]) end
  end
  table.sort(found, function(a, b) return a[1] > b[1] end)
  return found, head
end

local function ends(slice, deed)
  return math.max(1, math.ceil((slice + 1 + SLICES) * (deed.per / SLICES) - now))
end

function sliding.level(deed)
  local found = slices_of(deed)
  local count, reset = 0, 0
  for _, one in ipairs(found) do
    count = count + one[2]
    if one[2] > 0 and reset == 0 then reset = ends(one[1], deed) end
  end
  local wanted, waits, freed = count + deed.times - deed.room, 0, 0
  if wanted > 0 then
    waits = deed.per
    for i = #found, 1, -1 do
      freed = freed + found[i][2]
      if freed >= wanted then
        waits = ends(found[i][1], deed)
        break
      end
    end
  end
  return count, reset, waits
end

function sliding.add(deed)
  local name = key('w:' .. deed.key .. ':' .. deed.per)
  redis.call('HINCRBY', name, math.floor(now / (deed.per / SLICES)), deed.times)
  redis.call('PEXPIRE', name, math.ceil(deed.per * (SLICES + 2) / SLICES))
end

--- Takes back the newest.
function sliding.remove(deed)
  local left = deed.times
  for _, one in ipairs(slices_of(deed)) do
    local taken = math.min(one[2], left)
    left = left - taken
    if taken > 0 then redis.call('HINCRBY', key('w:' .. deed.key .. ':' .. deed.per), one[1], -taken) end
  end
end

local function bucket_key(deed) return key('b:' .. deed.key .. ':' .. deed.per .. ':' .. deed.most) end

local function debt_of(deed)
  local kept = redis.call('HMGET', bucket_key(deed), 'debt', 'at')
  if not kept[1] then return 0 end
  return math.max(0, tonumber(kept[1]) - math.max(0, now - tonumber(kept[2])) * deed.most)
end

local function owe(deed, debt)
  if debt <= 0 then return redis.call('DEL', bucket_key(deed)) end
  redis.call('HSET', bucket_key(deed), 'debt', string.format('%.0f', debt), 'at', string.format('%.0f', now))
  redis.call('PEXPIRE', bucket_key(deed), math.ceil(debt / deed.most) + 1000)
end

function bucket.level(deed)
  local debt = debt_of(deed)
  local waits = math.ceil(math.max(0, debt + (deed.times - deed.room) * deed.per) / deed.most)
  return debt / deed.per, math.ceil(debt / deed.most), waits
end

function bucket.add(deed) owe(deed, debt_of(deed) + deed.times * deed.per) end
function bucket.remove(deed) owe(deed, debt_of(deed) - deed.times * deed.per) end

local function day_key(deed) return key('d:' .. deed.day .. ':' .. deed.key) end

function days.level(deed)
  local count = tonumber(redis.call('GET', day_key(deed)) or 0)
  return count, deed.resetIn, count + deed.times > deed.most and deed.resetIn or 0
end

function days.add(deed)
  redis.call('INCRBY', day_key(deed), deed.times)
  redis.call('PEXPIRE', day_key(deed), DAY_KEPT)
end

function days.remove(deed)
  local count = tonumber(redis.call('GET', day_key(deed)) or 0)
  redis.call('SET', day_key(deed), string.format('%.0f', math.max(0, count - deed.times)), 'KEEPTTL')
end

local function counter_of(deed)
  return deed.per == 'day' and days or deed.burst and bucket or sliding
end

local function standing(deed)
  local count, reset, waits = counter_of(deed).level(deed)
  if deed.per ~= 'day' and deed.times > deed.room then waits = deed.per end
  return { deed = deed, count = count, left = math.max(0, math.floor(deed.room - count - deed.times)), reset = reset, waits = waits }
end

--- @return why they can't be counted, or nil; which comes nearest to its limit; how much of each is used then
local function weigh(deeds)
  local over, tightest
  local used = {}
  for i, deed in ipairs(deeds) do
    deed.room = deed.burst or deed.most
    local found = standing(deed)
    used[i] = found.count + deed.times
    if found.waits > 0 and (not over or found.waits > over.waits) then over = found end
    if not tightest or found.left / deed.room < tightest.left / tightest.deed.room then tightest = found end
  end
  return over and { is = 'over', key = over.deed.key, retryAfter = over.waits }, tightest, used
end

--- Counts all deeds, or none.
function steps.spend(a)
  local over, tightest, used = weigh(a.deeds)
  if over then return over end
  for _, deed in ipairs(a.deeds) do counter_of(deed).add(deed) end
  local _, reset = counter_of(tightest.deed).level(tightest.deed)
  return { is = 'ok', key = tightest.deed.key, left = tightest.left, resetIn = reset, used = used }
end

function steps.refund(a)
  for _, deed in ipairs(a.deeds) do counter_of(deed).remove(deed) end
end

local function count(deed) counter_of(deed).add(deed) end

--- Days' counts that a broker has on its own disk: the engine's are at least these.
function steps.raise(a)
  for _, deed in ipairs(a.deeds) do
    local count = tonumber(redis.call('GET', day_key(deed)) or 0)
    if deed.times > count then days.add({ key = deed.key, day = deed.day, times = deed.times - count }) end
  end
end

--- How much of a window is used.
local function level(window)
  return (sliding.level({ key = window.key, per = window.per, times = 0, room = 0 }))
end
