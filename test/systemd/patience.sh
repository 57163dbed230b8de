#!/bin/bash
# Runs inside sandbox.sh (see common.sh), with the unit as it is shipped: many restarts and reloads under load, and how long the watchdog waits.
cd "$(dirname "$0")" && . ./common.sh
/opt/drover/bin/drover emit systemd >/dev/null || exit 1
systemd-sysusers && systemd-tmpfiles --create drover.conf
for setting in DROVER_DEMO=on DROVER_WORKERS=3 DROVER_WORKER_CONNECTIONS=50 DROVER_EMULATOR_LATENCY=none; do set_env "${setting%%=*}" "${setting#*=}"; done
systemctl daemon-reload
systemctl start drover.service

load_begin '/api/tables/players?limit=5' 16
failed=0
for round in 1 2 3 4 5; do
  systemctl restart drover.service || failed=$((failed + 1))
  systemctl reload drover.service || failed=$((failed + 1))
done
load_end
fact load "$failed $LOAD"

# The master paused for half the watchdog's time: it serves on, and lives on.
main=$(show MainPID)
load_begin
kill -STOP "$main"
sleep 30
kill -CONT "$main"
sleep 35
load_end
fact paused "$([[ $(show MainPID) == "$main" ]] && echo same) $(show NRestarts) $LOAD"

# And for good: systemd ends it.
old=$(processes)
from=$(now_ms)
kill -STOP "$main"
for _ in {1..1300}; do [[ $(show NRestarts) == 0 ]] || break; sleep 0.1; done
until_true '[[ $(show ActiveState) == active ]]'
fact stopped "$(show NRestarts) old=$(still_alive "$old") $(get /healthz | head -c 1)"
fact stopped_ms $(($(now_ms) - from))
systemctl stop drover.socket drover.service
fact stop "$(show Result)"
exit 0
