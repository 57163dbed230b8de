-- Runs the step, and tells the brokers that share this engine what it has changed.

local born = redis.call('GET', key('born'))
if ARGV[1] ~= 'begin' and ARGV[1] ~= 'look' and (not born or told.born and told.born ~= born) then return cjson.encode({ forgot = true }) end

--- Begins on an engine that is empty, or goes on. @return a number that another engine, or this one once it has forgotten, does not have
function steps.begin(a)
  redis.call('SET', key('born'), a.id, 'NX')
  return redis.call('GET', key('born'))
end

local before = used()
local result = steps[ARGV[1]](told)
local changed = #out > 0 or used() ~= before
local reply = {
  result = result,
  out = #out > 0 and out or nil,
  used = used(),
  now = now,
  -- Replies and news come on two connections: which of them is newer.
  seq = tonumber(changed and redis.call('INCR', key('seq')) or redis.call('GET', key('seq')) or 0),
}
if changed then
  redis.call('PUBLISH', key('changes'), cjson.encode({ from = told.from, out = reply.out, used = reply.used, seq = reply.seq }))
end
return cjson.encode(reply)
