# The same in Ruby: rows cached in each process for a TTL, the answer as a prepared string.
require "base64"
require "json"
require "net/http"

TEXT = Base64.decode64(JSON.parse(File.read(ENV["BENCH_ANSWER"]))["body"])
STATE = { text: TEXT, until: ENV["BENCH_UPSTREAM"] ? 0.0 : Float::INFINITY }
LOCK = Mutex.new
HEADERS = { "content-type" => "application/json; charset=utf-8" }.freeze

def now
  Process.clock_gettime(Process::CLOCK_MONOTONIC)
end

def refresh
  LOCK.synchronize do
    return if now < STATE[:until]

    STATE[:text] = Net::HTTP.get(URI(ENV["BENCH_UPSTREAM"]))
    STATE[:until] = now + Float(ENV["BENCH_TTL"])
  end
end

run(lambda do |env|
  if env["PATH_INFO"] == "/block"
    till = now + Float(env["QUERY_STRING"].delete_prefix("s="))
    nil while now < till
    return [200, {}, ["done\n"]]
  end
  refresh if now >= STATE[:until]
  [200, HEADERS.dup, [STATE[:text]]]
end)
