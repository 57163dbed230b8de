# `puma -C puma.rb`: workers with five threads each, the default of Puma.
workers Integer(ENV["BENCH_WORKERS"])
threads 5, 5
bind "tcp://127.0.0.1:#{ENV["BENCH_PORT"]}?backlog=2048"
worker_timeout Integer(ENV.fetch("BENCH_TIMEOUT", "60"))
rackup File.join(__dir__, "game.ru")
on_worker_boot { File.write(File.join(ENV["BENCH_READY"], Process.pid.to_s), "") }
