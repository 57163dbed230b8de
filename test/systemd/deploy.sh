#!/bin/bash
# Runs inside sandbox.sh (see common.sh): the commands of docs/deploy.md, which stand in /opt/blocks.sh, each of which must succeed. What needs
# the network is played: apt-get does nothing, git and npm bring this package (shown at /opt/package), and Google is drover's emulator.
cd "$(dirname "$0")" && . ./common.sh
mkdir /opt/played && PATH=/opt/played:$PATH
play() { cat >"/opt/played/$1" && chmod +x "/opt/played/$1"; }
play apt-get </dev/null
play git <<'END'
#!/bin/bash
to=${!#}
mkdir -p "$to" && cp -r /opt/package/{bin,config,docs,src,systemd} "$to" && sed "s/\"version\": .*/\"version\": \"${to##*-}\",/" /opt/package/package.json >"$to/package.json"
END
play npm <<'END'
#!/bin/bash
case $1 in
  ci) ln -sfn /opt/package/node_modules node_modules ;;
  run) cp -r /opt/package/dist dist ;;
esac
END
/opt/package/bin/drover emulator --port 8086 --dir /root/google &
until_true '[[ -e /root/google/key.json ]] && curl --silent http://127.0.0.1:8086/'
cp /root/google/key.json /root/key.json

# What one must type for oneself, and where Google is.
sed -i -e 's/the-id-between-\S*/drover-sample-workbook\nDROVER_SHEETS_ENDPOINT=http:\/\/127.0.0.1:8086\/\nDROVER_OAUTH_ENDPOINT=http:\/\/127.0.0.1:8086\//' /opt/blocks.sh
bash -euo pipefail /opt/blocks.sh 2>&1
fact blocks $?
fact left "$(pgrep -u drover | wc -l) $(systemctl is-active drover.service) $(id -un drover)"
kill %1
exit 0
