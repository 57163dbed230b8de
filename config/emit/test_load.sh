#!/bin/sh
# <%= writtenBy %>
#
#   sh test_load.sh [URL] [--FLAG …]
#
# Loads the service step by step: <%= steps.map(({ to, label }) => `${to} (${label})`).join(", ") %> users at once.
# With drover: users that pause one second between requests, percentiles, the server's own figures, exit code 0 when every
# threshold holds. Further flags are those of drover load: --hold 60s, --mix 60/30/10 (which writes!), --profile FILE,
# --i-own-this-host for a target that is not this machine.
# Without drover: ab (apt install apache2-utils) with as many requests at a time and no pause, which is a far higher load
# than as many users; flags are then ignored, except --hold TIME.
# Run it from another machine: a generator on the same CPUs takes its share of them.
set -u

url='<%= url %>'
case ${1-} in http://* | https://*) url=$1 && shift ;; esac

drover=$(command -v drover || true)
[ -n "$drover" ] || drover=<%= root %>/bin/drover
if [ -x "$drover" ]; then
  exec "$drover" load "$url" --ladder <%= steps.map(({ to }) => to).join(",") %> "$@"
fi

command -v ab >/dev/null || { echo 'neither drover nor ab is installed: apt install apache2-utils' >&2; exit 64; }
echo 'drover is not installed here: ab sends as many requests at a time, without pauses' >&2
hold=20
while [ $# -gt 0 ]; do
  case $1 in
    --hold) hold=${2-20} ;;
    --hold=*) hold=${1#--hold=} ;;
  esac
  shift
done
hold=${hold%s}
case $hold in '' | *[!0-9]*) echo "--hold $hold: expected seconds, such as 20s" >&2 && exit 64 ;; esac
failed=0

step() { # users, label
  out=$(ab -t "$hold" -n 1000000 -c "$1" -l -r -q "$url" 2>&1) || { echo "ab failed: $out" >&2; exit 69; }
  echo "$out" | awk -v users="$1" -v label="$2" '
    /^Complete requests:/   { complete = $3 }
    /^Failed requests:/     { bad += $3 }
    /^Non-2xx responses:/   { bad += $3 }
    /^Requests per second:/ { rate = $4 }
    /^ *95%/                { p95 = $2 }
    END {
      if (complete == 0 || p95 == "") { print label ": no measurement"; exit 1 }
      good = bad + 0 == 0 && p95 < 500
      printf "%-10s %4d at a time  %8.1f/s  95 %% within %5d ms  %d failed  %s\n", label, users, rate, p95, bad, good ? "PASS" : "FAIL"
      exit !good
    }' || failed=99
}

<% for (const { to, label } of steps) { -%>
step <%= to %> '<%= label %>'
<% } -%>

exit "$failed"
