#!/bin/bash
# Runs inside sandbox.sh (see common.sh): the service under load, reloaded, restarted, killed, stopped and hung.
cd "$(dirname "$0")" && . ./common.sh

/opt/drover/bin/drover emit systemd >/dev/null || exit 1
systemd-sysusers && systemd-tmpfiles --create drover.conf
for setting in DROVER_DEMO=on DROVER_ROLL_SETTLE=200ms GUNICORN_WORKERS=2 DROVER_EMULATOR_LATENCY=none; do set_env "${setting%%=*}" "${setting#*=}"; done
drop_in RestartSec=200ms
if type -P jq >/dev/null; then
  mkdir -p /var/log/drover
  tail --lines=+1 --follow=name --retry /var/log/drover/drover.log 2>/dev/null | jq --unbuffered --raw-output '[.level, .role, .generation // "-", .msg] | join(" ")' >/run/seen 2>/run/jq-errors &
fi

# ------------------------------------------------------------------------------------------------ start, status, watchdog
systemctl start drover.service
fact start "$? $(systemctl is-active drover.service)"
fact watched "$(show WatchdogUSec) $([[ $(show WatchdogTimestampMonotonic) -gt 0 ]] && echo fed)"
until_true '[[ $(show StatusText) == *HEALTHY\ */*,\ quota* ]]' # the demo's broker may ask before the emulator answers
fact status "$(show StatusText)"
main=$(show MainPID)

# ------------------------------------------------------------------------------------------------ SIGHUP is a reload that systemd sees
kill -HUP "$main"
until_true '[[ $(show ActiveState) == reloading ]]' && reloading=seen || reloading=missed
until_true '[[ $(show ActiveState) == active && $(show StatusText) == *gen\ 2,\ HEALTHY* ]]'
fact hup "$reloading $([[ $(show MainPID) == "$main" ]] && echo same) $(show StatusText)"

# ------------------------------------------------------------------------------------------------ a setting, edited
set_env GUNICORN_WORKERS 3
set_env SHEET_CACHE_TTL 7
LOAD_PAUSE=60 # the soaks load it three times as much
load_begin
systemctl reload drover.service
fact edited "$? $(/opt/drover/bin/drover status | grep -E '^(workers|cache)' | tr -s ' \n' ' ')"
load_end
fact load_reload "$LOAD"

# ------------------------------------------------------------------------------------------------ restart under load
load_begin
old=$(processes)
systemctl restart drover.service
fact restart "$? $(systemctl is-active drover.service) old=$(still_alive "$old")"
load_end
fact load_restart "$LOAD"

# ------------------------------------------------------------------------------------------------ the master is killed; stopped; hangs
# Each restart takes the unit as it is by then, so that none is needed in between.
set_env GUNICORN_WORKERS 1
drop_in RestartSec=200ms WatchdogSec=2s "Environment=NODE_OPTIONS=--import=/opt/test/hang.mjs"
for fault in KILL STOP PWR; do
  [[ $fault != PWR ]] || set_env DROVER_GRACEFUL_TIMEOUT 3s
  old=$(processes)
  before=$(show NRestarts)
  from=$(now_ms)
  kill -$fault "$(show MainPID)"
  [[ $fault == KILL ]] || { get /healthz >/dev/null && fact "served_$fault" yes; }
  until_true '[[ $(show NRestarts) -gt $before && $(show ActiveState) == active ]]'
  fact "fault_$fault" "restarts=$(show NRestarts) old=$(still_alive "$old") $(get '/api/tables/players?limit=1' | head -c 1)"
  fact "fault_${fault}_ms" $(($(now_ms) - from))
done
fact watchdog_said "$(journalctl --unit=drover.service --output=cat --no-pager | grep -c 'Watchdog timeout')"

# ------------------------------------------------------------------------------------------------ a drain longer than the unit's timeout
drop_in TimeoutStopSec=1s
kill -STOP "$(pgrep -u drover -f '^drover: worker ' | tail -n 1)"
old=$(processes)
from=$(now_ms)
systemctl stop drover.socket drover.service
fact stop "$? $(show Result) old=$(still_alive "$old")"
fact stop_ms $(($(now_ms) - from))

# ------------------------------------------------------------------------------------------------ what whoever tails the log saw
if type -P jq >/dev/null; then
  until_true 'grep -q "stopped: every child has left" <(tail -n 5 /run/seen)'
  fact jq "$(wc -l </run/seen) lines, $(wc -l </run/jq-errors) errors"
  while read -r name pattern; do fact "seen_$name" "$(grep -cE "$pattern" /run/seen)"; done <<'END'
start drover [0-9.]+ starts
ready ready: [23] workers serve
hup SIGHUP: reload
workers workers: 2 → 3 .*GUNICORN_WORKERS
ttl cache_ttl: 30s → 7s .*SHEET_CACHE_TTL
rolled reloaded: generation 3 serves
term SIGTERM: stop
drained stopping gracefully
stuck did not leave in time
left stopped: every child has left
END
fi
journalctl --unit=drover.service --output=cat --no-pager | tail -n 60
[[ ! -e /run/seen ]] || tail -n 150 /run/seen
exit 0
