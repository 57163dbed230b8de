#!/bin/bash
# Runs inside sandbox.sh (see common.sh), with this package shown at /opt/package: installed, upgraded under load, given up, taken back, backed up,
# a second event beside it, and taken away.
cd "$(dirname "$0")" && . ./common.sh
NODE=/opt/package/node_modules/.bin/node
refused() { "${@:2}" >/run/said 2>&1; fact "$1" "$? $(tr '\n' ' ' </run/said) / $(ls -A /opt/drover 2>/dev/null | wc -l) $(ls /etc/drover 2>/dev/null | wc -l)"; }
another() { # VERSION: this package again, under another version
  mkdir -p "/opt/packages/$1" && cp -r /opt/package/{bin,config,docs,src,systemd,dist} "/opt/packages/$1" && ln -s /opt/package/node_modules "/opt/packages/$1/node_modules"
  sed "s/\"version\": .*/\"version\": \"$1\",/" /opt/package/package.json >"/opt/packages/$1/package.json"
}
me() { curl --silent --max-time 30 --cookie /run/jar http://127.0.0.1:8080/api/me | grep --only-matching '"name":"[^"]*"'; }
serves() { drover status | head -n 1 | cut -d' ' -f2; }

# ------------------------------------------------------------------------------------------------ what stands in the way is said first
refused no_root setpriv --reuid=65534 --regid=65534 --clear-groups /opt/package/bin/drover install
mkdir -p /usr/local/lib/systemd/system && printf '[Service]\nExecStart=/bin/true\n' >/usr/local/lib/systemd/system/drover.service
refused foreign /opt/package/bin/drover install
rm -r /usr/local/lib/systemd/system
"$NODE" -e 'require("node:http").createServer().listen(8080, "127.0.0.1", () => require("node:fs").writeFileSync("/run/listens", ""))' &
until_true '[[ -e /run/listens ]]'
refused port /opt/package/bin/drover install
kill %1
wait %1 2>/dev/null
refused setting /opt/package/bin/drover install --workers lots
refused key /opt/package/bin/drover install --key /etc/passwd
mv /run/systemd/system /run/systemd/away
refused no_systemd /opt/package/bin/drover install
mv /run/systemd/away /run/systemd/system

/opt/package/bin/drover emulator --port 8086 --dir /root/google --emulator-latency none >/dev/null &
until_true '[[ -e /root/google/key.json ]] && curl --silent http://127.0.0.1:8086/'

# ------------------------------------------------------------------------------------------------ install over half an installation, and start
mkdir -p /opt/drover/.new-0.1.0/dist && echo half >/opt/drover/.new-0.1.0/dist/file
from=$(now_ms)
/opt/package/bin/drover install --workers 2 --key /root/google/key.json --spreadsheet-id drover-sample-workbook --tables /opt/drover/current/config/tables.json \
  --sheets-endpoint http://127.0.0.1:8086/ --oauth-endpoint http://127.0.0.1:8086/
[[ -e /opt/drover/current/bin/drover ]] || exit 1
fact install "$? $(ls -A /opt/drover | tr '\n' ' ')"
fact install_ms $(($(now_ms) - from))
fact env_file "$(stat -c '%a %U:%G' /etc/drover/drover.env) $(grep -c '^#[A-Z_]*=' /etc/drover/drover.env) $(grep -c '^[A-Z_]*=' /etc/drover/drover.env)"
fact log_folder "$(stat -c '%a %U:%G' /var/log/drover)"
fact again "$(/opt/package/bin/drover install 2>&1 | grep -c '^unchanged')"
from=$(now_ms)
systemctl enable --now drover.service 2>&1
get '/api/tables/players?limit=1' >/run/answer || { journalctl --unit=drover.service --output=cat --no-pager | tail; exit 1; }
fact first "$? $(head -c 8 /run/answer)"
fact first_ms $(($(now_ms) - from))
fact key_file "$(stat -c '%a %U:%G' /etc/drover/google-key.json) $(for pid in $(pgrep -u drover -f '^drover: worker '); do tr '\0' '\n' <"/proc/$pid/environ"; done | grep -c CREDENTIALS)"
fact runtime "$(readlink "/proc/$(show MainPID)/exe") $(systemctl cat drover.service | grep -c '^ExecStart=/opt/drover/current/runtime/node ')"
player=$(tr -d '\r' </opt/package/config/sample/players.csv | sed -n 's/^p001,\([^,]*\),.*,\([A-Z0-9-]*\)$/{"name":"\1","secret":"\2"}/p')
curl --silent --max-time 30 --cookie-jar /run/jar --output /dev/null --write-out 'fact login %{http_code}\n' -H 'content-type: application/json' -d "$player" http://127.0.0.1:8080/api/login
fact session "$(me) $(stat -c '%a %U:%G' /var/lib/drover/session.key) $(stat -c '%a %U:%G' /var/lib/drover/ledger.db)"
fact board "$(get / | head -c 15) $(get /static/views/home.js | grep -c '^export ') $(get /static/nothing.js | grep -c unknown-path)"
fact exposure "$(systemd-analyze security --no-pager drover.service | sed -n 's/.*exposure level[^:]*: \([0-9.]*\).*/\1/p')"
fact nice "$(ps -u drover -o ni= | sort -nu | xargs) $(grep -c 'keeps its priority' /var/log/drover/drover.log)"

# ------------------------------------------------------------------------------------------------ upgrade and back, with 100 clients
another 0.2.0
load_begin '/api/tables/players?limit=5' 50 10
from=$(now_ms)
/opt/packages/0.2.0/bin/drover install
fact upgrade "$? $(serves) $(readlink /opt/drover/current)"
fact upgrade_session "$(me)"
fact upgrade_ms $(($(now_ms) - from))
sleep 1
load_end
fact upgrade_load "$LOAD"
fact upgrade_steps "$("$NODE" /opt/test/steps.mjs /var/log/drover/drover.log)"
load_begin '/api/tables/players?limit=5' 50 10
/opt/drover/0.1.0/bin/drover install
fact back "$? $(serves) $(readlink /opt/drover/current)"
sleep 1
load_end
fact back_load "$LOAD"
fact back_steps "$("$NODE" /opt/test/steps.mjs /var/log/drover/drover.log)"

# ------------------------------------------------------------------------------------------------ versions that can't take over
another 0.3.0
echo 'throw new Error("broken");' >/opt/packages/0.3.0/dist/cli/serve-main.js
load_begin '/api/tables/players?limit=5' 50 10
/opt/packages/0.3.0/bin/drover install >/run/said 2>&1
fact broken "$? $(serves) $(readlink /opt/drover/current) $(tr '\n' ' ' </run/said)"
sleep 1
load_end
fact broken_load "$LOAD"
another 0.4.0
grep -rlZ --include='*.js' '\bvar SCHEMA=[0-9]' /opt/packages/0.4.0/dist | xargs -0 sed -i 's/\bvar SCHEMA=[0-9]*/var SCHEMA=1/'
main=$(show MainPID)
/opt/packages/0.4.0/bin/drover install >/run/said 2>&1
fact older "$? $(serves) $([[ $(show MainPID) == "$main" ]] && echo same) $(readlink /opt/drover/current) $(tr '\n' ' ' </run/said)"
another 0.1.0
echo '//' >>/opt/packages/0.1.0/dist/cli/main.js
/opt/packages/0.1.0/bin/drover install >/run/said 2>&1
fact other_build "$? $(tr '\n' ' ' </run/said)"

# ------------------------------------------------------------------------------------------------ a second event
/opt/drover/current/bin/drover install --name party >/run/said 2>&1
fact event_no_address "$? $(tr '\n' ' ' </run/said)"
/opt/drover/current/bin/drover install --name party --demo on --bind 127.0.0.1:8081 --workers 1 --emulator-latency none >/dev/null
systemctl enable --now drover@party.service 2>&1
fact event "$? $(curl --silent --max-time 30 'http://127.0.0.1:8081/api/tables/players?limit=1' | head -c 8) $(stat -c %U "/proc/$(show MainPID drover@party.service)") $(stat -c '%a %U:%G' /etc/drover/party.env) $(ls -d /var/lib/drover-party /var/log/drover-party | wc -l)"
fact event_status "$(drover status --env-file /etc/drover/party.env | grep -c '^workers    1/1 ready')"
fact event_exposure "$(systemd-analyze security --no-pager drover@party.service | sed -n 's/.*exposure level[^:]*: \([0-9.]*\).*/\1/p')"
/opt/packages/0.2.0/bin/drover install
fact both "$? $(serves) $(drover status --env-file /etc/drover/party.env | head -n 1 | cut -d' ' -f2)"
drover uninstall --name party --purge
fact event_gone "$? $(ls /etc/systemd/system | grep -c party) $(ls -d /var/lib/drover-party /etc/drover/party.env 2>/dev/null | wc -l) $(get /healthz | head -c 1)"

# ------------------------------------------------------------------------------------------------ backup and restore, by root, of a service
curl --silent --max-time 30 --output /dev/null --write-out 'fact posted %{http_code}\n' -H 'content-type: application/json' -d '{"player":"p001","kind":"tag"}' http://127.0.0.1:8080/api/tables/actions
drover backup /root/drover.backup
fact backup "$? $(stat -c '%a %U' /root/drover.backup) $(find /var/lib/drover ! -user drover | wc -l)"
drover restore /root/drover.backup >/run/said 2>&1
fact restore_onto "$? $(tr '\n' ' ' </run/said)"
systemctl stop drover.socket drover.service
drover restore --anyway /root/drover.backup
fact restore "$? $(find /var/lib/drover ! -user drover | wc -l)"
systemctl start drover.service
fact restored "$? $(get '/api/tables/players?limit=1' | head -c 8)"
fact restored_session "$(me)"

# ------------------------------------------------------------------------------------------------ taken away
drover uninstall
fact uninstall "$? $(systemctl is-active drover.service) $(pgrep -u drover | wc -l) $(ls -A /opt/drover 2>/dev/null | wc -l) $(ls /etc/systemd/system | grep -c '^drover') $(ls -d /var/lib/drover /etc/drover/drover.env /var/log/drover | wc -l)"
/opt/package/bin/drover uninstall --purge --anyway # what was restored is sent after three minutes
fact purge "$? $(ls -d /var/lib/drover /etc/drover/drover.env /etc/drover/google-key.json /var/log/drover 2>/dev/null | wc -l)"
kill %1
journalctl --unit=drover.service --output=cat --no-pager | tail -n 60
exit 0
