#!/bin/bash
# Runs inside sandbox.sh (see common.sh), on a Debian that has npm and drover's package and nothing else: what is left to type, with Google played by
# drover's emulator, which knows a workbook of /opt/books that drover has never seen.
cd "$(dirname "$0")" && . ./common.sh
drover emulator --port 8086 --dir /root/google --csv /opt/books --emulator-latency none >/dev/null &
until_true '[[ -e /root/google/key.json ]] && curl --silent http://127.0.0.1:8086/'

from=$(now_ms)
step() { "$@" >/run/said 2>&1 || { cat /run/said; fact step "$* failed"; }; }
mkdir -p /etc/drover
echo '{ "tables": { "ausgaben": { "range": "Ausgaben 2026", "key": "Beleg", "read": "public" } } }' >/etc/drover/tables.json # 1
step drover install --key /root/google/key.json --spreadsheet-id drover-sample-workbook --tables /etc/drover/tables.json \
  --sheets-endpoint http://127.0.0.1:8086/ --oauth-endpoint http://127.0.0.1:8086/ # 2
step systemctl enable --now drover.service # 3
get '/api/tables/ausgaben?limit=1' >/run/answer # 4
fact typed_ms $(($(now_ms) - from))
fact answer "$(head -c 200 /run/answer)"
fact key "$(stat -c '%a %U' /etc/drover/google-key.json) $(for pid in $(pgrep -u drover -f 'child.js worker'); do tr '\0' '\n' <"/proc/$pid/environ"; done | grep -c CREDENTIALS)"
fact exposure "$(systemd-analyze security --no-pager drover.service | sed -n 's/.*exposure level[^:]*: \([0-9.]*\).*/\1/p')"
journalctl --unit=drover.service --output=cat --no-pager | tail -n 20
kill %1
exit 0
