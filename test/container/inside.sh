#!/bin/bash
# inside.sh WAY FOLDER USER COMMAND…: a container's surroundings without an engine, in namespaces of its own (unshare calls it as PID 1).
#   WAY     first: COMMAND is PID 1; init: it is a child of tini
#   FOLDER  the one place that can be written to
#   USER    the uid it runs as; nothing is allowed to it beyond that
set -euo pipefail
way=$1 folder=$2 user=$3
shift 3
mount --make-rprivate /
mount -t proc proc /proc
mount --bind "$folder" "$folder"
# Everything else is read-only, the other file systems too.
while read -r _ _ _ _ where _; do
  case $where in /proc* | /dev* | /sys* | "$folder"*) continue ;; esac
  mount -o remount,bind,ro "$where" 2>/dev/null || true
done </proc/self/mountinfo
if touch /tmp/.drover-read-only 2>/dev/null; then rm /tmp/.drover-read-only; echo "inside: / can be written to" >&2; exit 77; fi
cd "$folder"
init=()
[[ $way == first ]] || init=(tini --)
exec setpriv --reuid "$user" --regid "$user" --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs "${init[@]}" "$@"
