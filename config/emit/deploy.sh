#!/bin/sh
# <%= writtenBy %>
#
#   sh deploy.sh USER@HOST ENVFILE [FOLDER]         # dry run: checks everything, changes nothing
#   sh deploy.sh --go USER@HOST ENVFILE [FOLDER]    # deploys
#   sh deploy.sh --rollback USER@HOST               # back to what ran before the last --go
#
# ENVFILE: the settings, for <%= envFile %> (root's, mode 0640: the service reads it and can't change it). FOLDER: a release of your application.
# drover runs there as <%= service %> (drover install). USER logs in by key, is not root, and may use sudo.
# The service is reloaded, never restarted: no request is lost, and a refused reload changes nothing. Settings that need a
# restart (docs/SETTINGS.md) keep their old values until: sudo systemctl restart <%= service %>
#
# Runbook:
# 1. Deploy.      sh deploy.sh USER@HOST ENVFILE, read what it says, then the same with --go.
# 2. Test.        From another machine: sh test_load.sh https://YOUR.NAME/ --i-own-this-host \
#                   --admin https://YOUR.NAME/ --admin-token-file FILE
#                 FILE: a viewer's token (there: drover dashboard --token viewer), so that CPU and memory of the server are known.
#                 Go on only if it passes: 100 users, p95 below 500 ms, CPU below 80 %, no failed request.
# 3. Real users.  Few at first: DROVER_MAX_SLOTS=50 in ENVFILE, deploy, ask them; then 100, then <%= slots %>.
# 4. Watch.       drover status --watch, drover top, the log, the alerts, for an hour and at every new maximum. Back with
#                 --rollback when errors or the p95 rise; drover's own advice: drover status.
set -eu

go=check
case ${1-} in
  --go) go=go && shift ;;
  --rollback) go=rollback && shift ;;
esac
to=${1-} env=${2-} folder=${3-}
fail() { echo "deploy.sh: $*" >&2 && exit 1; }
case $to in
  '' | -*) echo 'usage: sh deploy.sh [--go | --rollback] USER@HOST ENVFILE [FOLDER]' >&2 && exit 64 ;;
  root@*) fail "$to: log in as a user with sudo rights, not as root" ;;
  ?*@?*) ;;
  *) fail "$to: expected USER@HOST" ;;
esac
releases='<%= releases %>' # the folder of the releases and of the link "current"; empty: no application, or no such link in DROVER_APP

there() { ssh -o BatchMode=yes "$to" "$@"; }

new='' release='' uploaded=''
cleanup() {
  [ -z "$new" ] || there "rm -f '$new'" || :
  [ -z "$uploaded" ] || there "sudo -n rm -rf '$releases/$uploaded'" || :
}
# dash runs no EXIT trap when a signal ends it.
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

if [ "$go" != rollback ]; then
  [ -f "$env" ] || fail "ENVFILE ${env:-(missing)}: expected a file with lines DROVER_NAME=value"
  if [ -n "$folder" ]; then
    [ -n "$releases" ] || fail "FOLDER $folder: DROVER_APP must lead through a link, as in /srv/app/current/app.mjs; emit this script again"
    [ -d "$folder" ] || fail "FOLDER $folder: expected a folder"
  fi
  if ! new=$(there mktemp) || ! there "cat >'$new'" <"$env"; then # mktemp: 0600; empty until its name is known
    fail "$to: ENVFILE could not be copied"
  fi
  if [ -n "$folder" ] && [ "$go" = go ]; then
    release=$(date -u +%Y%m%dT%H%M%SZ)
    uploaded=$release
    tar -C "$folder" -cf - . | there "sudo -n mkdir -p '$releases/$release' && sudo -n tar -C '$releases/$release' --no-same-owner -xf -" ||
      fail "$to: FOLDER could not be copied"
  fi
fi

uploaded='' # from here on the far side removes a release that does not serve
there sh -s -- "$go" "$new" "$release" <<'REMOTE'
set -eu
mode=$1 new=${2-} release=${3-}
env='<%= envFile %>' unit='<%= service %>' user='<%= user %>' key='<%= keyFile %>' dir='<%= dir %>' releases='<%= releases %>'
say() { echo "deploy.sh: $*"; }
fail() { echo "deploy.sh: $*" >&2 && exit 1; }
[ "$(id -u)" != 0 ] || fail 'expected a user who is not root'
sudo -n true || fail 'expected a user who may use sudo without a password'

credentials=''
cleanup() {
  [ -z "$credentials" ] || sudo -n rm -rf "$credentials" || :
  [ -z "$release" ] || [ "$(readlink "$releases/current")" = "$release" ] || sudo -n rm -rf "$releases/$release" || :
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 141' PIPE
trap 'exit 143' TERM

# As the unit would start it: its folders, its key, and nothing else of this shell.
check() {
  credentials=$(mktemp -d)
  sudo -n ln -s "$key" "$credentials/google-key"
  checked=0
  sudo -n env -i PATH="$PATH" CREDENTIALS_DIRECTORY="$credentials" STATE_DIRECTORY="/var/lib/$dir" \
    RUNTIME_DIRECTORY="/run/$dir" LOGS_DIRECTORY="/var/log/$dir" INVOCATION_ID=check JOURNAL_STREAM=0:0 \
    drover check --env-file "$1" >/dev/null || checked=$?
  sudo -n rm -r "$credentials"
  credentials=''
  return "$checked"
}

healthy() {
  tries=0
  until curl --silent <% if (probed) { %>--fail <% } %>--max-time 5 <% if (unixPath) { %>--unix-socket '<%= unixPath %>' 'http://localhost<%= path %>'<% } else { %>--insecure '<%= url %><%= path %>'<% } %> >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 10 ] || return 1
    sleep 1
  done
}

link() { sudo -n ln -sfn "$1" "$releases/next" && sudo -n mv -T "$releases/next" "$releases/current"; }

restore() {
  sudo -n cp -p "$env.before" "$env"
  [ ! -L "$releases/before" ] || link "$(readlink "$releases/before")"
  sudo -n systemctl reload "$unit" && healthy
}

if [ "$mode" = rollback ]; then
  sudo -n test -f "$env.before" || fail "$env.before is missing: nothing was deployed by this script"
  restore || fail "rolled back, but $unit is not healthy: sudo journalctl -u $unit -n 50"
  say "rolled back: $unit runs with what was there before"
  exit 0
fi

check "$new" || fail 'drover check refuses these settings (above). Nothing was changed'
say 'drover check accepts the settings'
sudo -n grep -Eq '^(export )?DROVER_RUN_DIR=' "$new" ||
  say "warning: no DROVER_RUN_DIR in these settings: drover status finds the daemon only with DROVER_RUN_DIR=/run/$dir"
# Names only: values may be secret.
changes=$(sudo -n diff "$env" "$new" | sed -n 's/^\([<>] *#*[A-Za-z_0-9]*\)=.*/\1/p' || :)
say "settings that change: ${changes:-none}"
systemctl is-active --quiet "$unit" || fail "$unit does not run: sudo systemctl start $unit. Nothing was changed"
if [ "$mode" = check ]; then
  say "dry run: would install $env (root:$user, 0640), ${releases:+the release if you named a FOLDER, }reload $unit and test it. --go does it"
  exit 0
fi

[ -z "$releases" ] || sudo -n rm -f "$releases/before"
sudo -n cp -p "$env" "$env.before"
sudo -n install -o root -g "$user" -m 0640 "$new" "$env"
if [ -n "$release" ]; then
  [ ! -L "$releases/current" ] || sudo -n ln -sfn "$(readlink "$releases/current")" "$releases/before"
  link "$release"
fi
if sudo -n systemctl reload "$unit" && healthy; then
  say "$unit serves with the new settings${release:+ and release $release}. Back: sh deploy.sh --rollback"
else
  restore || fail "the deployment failed, and so did the way back: sudo journalctl -u $unit -n 50"
  fail "the deployment failed and was rolled back; $unit serves as before: sudo journalctl -u $unit -n 50"
fi
REMOTE
