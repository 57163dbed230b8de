# Sourced by the scripts that run inside sandbox.sh. What they saw they print as lines `fact NAME VALUE…`, for a test to judge; everything else is for people.
set -uo pipefail
fact() { printf 'fact %s\n' "$*"; }
show() { systemctl show --property="$1" --value "${2:-drover.service}"; }
until_true() { for _ in {1..400}; do ! eval "$1" >/dev/null 2>&1 || return 0; sleep 0.1; done; echo "in vain: $1"; return 1; }
get() { curl --silent --show-error --max-time 20 "http://127.0.0.1:8080$1"; }
set_env() { sed -i "/^$1=/d" /etc/drover/drover.env; [[ -z ${2:-} ]] || echo "$1=$2" >>/etc/drover/drover.env; }
now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }
drop_in() { # LINE…: replaces what the test changes in the unit
  mkdir -p /run/systemd/system/drover.service.d
  { echo '[Service]'; printf '%s\n' "$@"; } >/run/systemd/system/drover.service.d/test.conf
  systemctl daemon-reload
}

# Every process of the service as `pid starttime`: a pid alone may be another's by the time one looks.
processes() {
  local pid stat
  for pid in $(pgrep -u drover); do
    stat=$(<"/proc/$pid/stat") 2>/dev/null && set -- ${stat##*) } && echo "$pid ${20}"
  done 2>/dev/null | sort
}
# How many of those processes live, zombies aside.
still_alive() {
  local pid start stat count=0
  while read -r pid start; do
    stat=$(<"/proc/$pid/stat") 2>/dev/null || continue
    set -- ${stat##*) }
    [[ $1 == Z || ${20} != "$start" ]] || count=$((count + 1))
  done <<<"$1" 2>/dev/null
  echo $count
}

# load_begin [PATH [N [RESTING]]]: N clients of both kinds, LOAD_PAUSE ms between two requests, and some that rest, from load_begin to
# load_end; then LOAD says what they met. They ask for rows: /healthz says 503 while a worker stops, as it must.
load_begin() {
  rm -f /run/enough /run/loading
  "${NODE:-/opt/drover/node_modules/.bin/node}" /opt/test/load.mjs "http://127.0.0.1:8080${1:-/api/tables/players?limit=5}" /run/enough /run/loading "${2:-4}" "${3:-0}" "${LOAD_PAUSE:-20}" >/run/load &
  LOADING=$!
  until_true '[[ -e /run/loading ]]'
}
load_end() { touch /run/enough; wait "$LOADING"; LOAD=$(</run/load); }
