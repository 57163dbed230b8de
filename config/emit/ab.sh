#!/bin/sh
# <%= writtenBy %>
#
# Three runs of ab (apt install apache2-utils): 10, 50 and 100 requests at a time. Expected: no failed request, less than
# 100 ms for 95 % of them. Exit code 1 when a run misses that, 2 when ab cannot run.
#
# How to read ab:
# - "Time per request ... (mean)" is a mean: some clients wait much longer. This script evaluates the 95 % line.
# - "Time per request ... (mean, across all concurrent requests)" is 1 / throughput, not a latency.
# - "-c 100" is 100 requests at a time without any pause, which is the load of far more than 100 users with pauses.
# - Each request opens a connection (no -k), as a page view does. ab counts only from the moment it sends a request: when the
#   server stalls, ab sends less and the wait does not show (coordinated omission).
# - "Failed requests: Length" only says that two answers differ in size; -l switches that check off.
# drover load URL --users 10 --requests 1000 measures the same with percentiles and the server's own figures.
set -u

url=${1:-<%= url %>}
failed=0

command -v ab >/dev/null || { echo 'ab is not installed: apt install apache2-utils' >&2; exit 2; }

run() { # requests, at a time
  echo "== ab -n $1 -c $2 -l -r $url"
  out=$(ab -n "$1" -c "$2" -l -r -q "$url") || { echo "ab failed: $url (expected a server that answers)" >&2; exit 2; }
  echo "$out" | grep -E '^(Requests per second|Time per request|Failed requests|Non-2xx|  (50|95|99)%)'
  echo "$out" | awk '
    /^Complete requests:/ { complete = $3 }
    /^Failed requests:/   { bad += $3 }
    /^Non-2xx responses:/ { bad += $3 }
    /^ *95%/              { p95 = $2 }
    END {
      if (complete == 0 || p95 == "") { print "=> no measurement"; exit 1 }
      printf "=> %s: %d failed, 95 %% within %d ms\n", (bad + 0 == 0 && p95 < 100) ? "good" : "NOT GOOD", bad, p95
      exit !(bad + 0 == 0 && p95 < 100)
    }' || failed=1
}

run 1000 10
run 5000 50
run 10000 100

exit "$failed"
