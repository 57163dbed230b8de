#!/bin/bash
# Runs inside sandbox.sh (see common.sh), with drover shown at /opt/drover: does what docs/systemd.md tells an operator to do.
cd "$(dirname "$0")" && . ./common.sh

# ------------------------------------------------------------------------------------------------------------- install
/opt/drover/bin/drover emit systemd || exit 1
systemd-sysusers && systemd-tmpfiles --create drover.conf
fact env_file "$(stat -c '%a %U:%G' /etc/drover/drover.env)"
(($#)) || set -- DROVER_DEMO=on
for setting; do set_env "${setting%%=*}" "${setting#*=}"; done
set_env DROVER_WORKERS 2
systemctl daemon-reload
systemctl enable drover.service 2>&1
fact enabled "$(systemctl is-enabled drover.service) $(systemctl is-enabled drover.socket)"

# ------------------------------------------------------------------------------------------- start, answer, reload, stop
from=${EPOCHREALTIME/./}
systemctl start drover.service
fact start "$? $(systemctl is-active drover.service) $(systemctl is-active drover.socket)"
fact start_ms $(((${EPOCHREALTIME/./} - from) / 1000))
until_true '[[ $(show StatusText) == *HEALTHY\ */*,\ quota* ]]' # the demo's broker may ask before the emulator answers
fact status "$(show StatusText)"
fact user "$(stat -c %U "/proc/$(show MainPID)")"
fact notify "$(show NotifyAccess)"
fact scheduling "$(for pid in $(pgrep -u drover); do chrt -p "$pid"; done | sed -n 's/.*policy: //p' | sort | uniq -c | tr -s ' \n' ' ')"
fact answer "$(get '/api/tables/players?limit=1')"

main=$(show MainPID)
systemctl reload drover.service
fact reload "$?"
fact reload_pid "$([[ $(show MainPID) == "$main" ]] && echo same || echo other)"
fact reload_answer "$(get '/api/tables/players?limit=1')"

# A reload that is refused ends as well, and the old generation serves on.
set_env DROVER_WORKERS lots
timeout 30 systemctl reload drover.service
fact refused "$? $(systemctl is-active drover.service) $(get '/api/tables/players?limit=1' | head -c 1)"
set_env DROVER_WORKERS 2

# Rotation: what was logged before is in the old file, what comes after in the new one.
if type -P logrotate >/dev/null; then
  before=$(wc -l </var/log/drover/drover.log)
  logrotate --force /etc/logrotate.d/drover
  until_true 'grep -q "open again" /var/log/drover/drover.log'
  fact rotated "$([[ $(wc -l </var/log/drover/drover.log.1) -ge $before ]] && stat -c '%U %a' /var/log/drover/drover.log)"
else
  fact rotated "no logrotate here"
fi

group=$(show ControlGroup)
from=${EPOCHREALTIME/./}
systemctl stop drover.socket drover.service
fact stop "$? $(systemctl is-active drover.service) $(show Result)"
fact stop_ms $(((${EPOCHREALTIME/./} - from) / 1000))
fact left "$(pgrep -u drover | wc -l) $(cat /sys/fs/cgroup{,/unified,/systemd}"$group/cgroup.procs" 2>/dev/null | wc -l)"

# ------------------------------------------------------------------------------------------------- a setting that is wrong
set_env DROVER_WORKERS lots
systemctl start drover.service 2>/dev/null
fact wrong "$(show Result) $(show ExecMainStatus) $(systemctl is-active drover.service) restarts=$(show NRestarts)"
# A connection that waits starts it again and again, until the socket gives up.
until_true '! systemctl is-active drover.socket || { timeout 0.2 curl --silent http://127.0.0.1:8080/; false; }'
fact wrong_socket "$(show Result) $(systemctl show --property=Result --value drover.socket)"
set_env DROVER_WORKERS 2
systemctl reset-failed drover.socket drover.service
systemctl start drover.service
fact cured "$? $(systemctl is-active drover.service)"

# ------------------------------------------------------------------------------- the address is drover.socket's to decide
systemctl stop drover.socket drover.service
set_env DROVER_BIND 127.0.0.1:9999
systemctl start drover.service 2>/dev/null
fact other_bind "$(show ExecMainStatus) $(journalctl --unit=drover.service --output=cat --no-pager | grep -c 'drover.socket.*drover.env')"
journalctl --unit=drover.service --unit=drover.socket --output=cat --no-pager
[[ ! -e /var/log/drover/drover.log ]] || tail -n 40 /var/log/drover/drover.log
