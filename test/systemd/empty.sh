#!/bin/bash
# Runs inside sandbox.sh (see common.sh), on a Debian that has what the first three commands of docs/deploy.md have brought, and nothing else. It types the
# others, which stand in /opt/typed.sh, a line each. Google is played by drover's emulator, which knows a workbook of /opt/books that drover has
# never seen, and Let's Encrypt by a certificate that signs itself.
cd "$(dirname "$0")" && . ./common.sh
mkdir /opt/played && PATH=/opt/played:$PATH
cat >/opt/played/certbot <<'BOT' && chmod +x /opt/played/certbot
#!/bin/bash
set -e
while (($#)); do case $1 in --domain) name=$2 ;; --pre-hook) before=$2 ;; --post-hook) after=$2 ;; esac; shift; done
sh -c "$before"
mkdir -p "/etc/letsencrypt/live/$name" && cd "/etc/letsencrypt/live/$name"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 -subj "/CN=$name" -addext "subjectAltName=DNS:$name" -keyout privkey.pem -out fullchain.pem
sh -c "$after"
BOT
systemctl start nginx.service # as Debian's package does where systemd runs
drover emulator --port 8086 --dir /root/google --csv /opt/books --emulator-latency none >/dev/null &
until_true '[[ -e /root/google/key.json ]] && curl --silent http://127.0.0.1:8086/'
cp /root/google/key.json /root/key.json
cd /root

export CURL_CA_BUNDLE=/etc/letsencrypt/live/localhost/fullchain.pem
typed=0 failed=none took=''
while read -r line; do
  from=$(now_ms)
  bash -euo pipefail -c "$line" >/run/said 2>&1 || { failed="$line"; cat /run/said; }
  took+=" $(($(now_ms) - from))"
  typed=$((typed + 1))
done </opt/typed.sh
fact typed "$typed"
fact failed "$failed"
fact took "$took"
fact answer "$(sed -n 's/^.*\({"table".\{1,120\}\).*/\1/p' /run/said | head -n 1)"
# nginx's workers of before answer for a moment still: a reload does not wait for them.
redirect() { curl --silent --output /dev/null --write-out '%{http_code} %{redirect_url}' http://localhost/; }
for _ in $(seq 50); do case "$(redirect)" in 308*) break ;; *) sleep 0.1 ;; esac done
fact behind "$(curl --silent --head https://localhost/ | tr -d '\r' | sed -n 's/^strict-transport-security: //Ip') $(redirect)"
# A bare Debian has no pgrep.
workers=$(grep -lsz '^drover: worker ' /proc/[0-9]*/cmdline | xargs -n 1 dirname)
fact key "$(stat -c '%a %U' /etc/drover/google-key.json) $(for place in $workers; do tr '\0' '\n' <"$place/environ"; done | grep -c CREDENTIALS) $(echo "$workers" | wc -l)"
fact exposure "$(systemd-analyze security --no-pager drover.service | sed -n 's/.*exposure level[^:]*: \([0-9.]*\).*/\1/p')"
journalctl --unit=drover.service --unit=nginx.service --output=cat --no-pager | tail -n 20
kill %1
exit 0
