-- What every step begins with; counters.lua and sessions.lua follow, and then run.lua.
-- KEYS[1] is the prefix of all keys, ARGV[1] the step's name, ARGV[2] what it is told, as JSON.

local steps = {}
local prefix = KEYS[1]
local told = cjson.decode(ARGV[2])

local function key(name) return prefix .. name end

local clock = redis.call('TIME')
--- Of the engine's clock, ms. Tests say what time it is.
local now = told.now or clock[1] * 1000 + math.floor(clock[2] / 1000)
