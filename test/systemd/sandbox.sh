#!/bin/bash
# sandbox.sh [--bind FROM:TO]… COMMAND [ARGUMENT…]
#
# Runs COMMAND as root beside a real systemd that is PID 1 of its own small world: private mounts, processes, network (lo),
# host name and control groups, on a throw-away overlay of /. Nothing it does reaches the machine, and nothing stays.
#   --bind FROM:TO    shows the folder or file FROM of this machine as TO inside, read-only
#   --share DIR       the folder DIR under its own name, writable: for results
#   --root DIR        another root file system than / (one with another systemd)
#   SANDBOX_TAG=word   part of the name of its folder and its control groups
#   SANDBOX_VERBOSE=1 systemd's own console on stderr afterwards
# Exit: COMMAND's code · 64 usage · 70 the inner systemd did not come up · 77 can't run on this machine (and says why)
set -euo pipefail

usage() { sed -n '2,12s/^# \{0,1\}//p' "$0" >&2; exit 64; }
cannot() { echo "sandbox: $1" >&2; exit 77; }

# ------------------------------------------------------------------------------------------------ inside: build the world
# Runs as PID 1 of the new namespaces and becomes systemd.
build_world() {
  local home=$1 world=$1/world base=$2 pair; shift 2
  mount -t tmpfs -o mode=755 sandbox "$home"
  mkdir "$home"/{upper,work,world}
  mount -t overlay -o "lowerdir=$base,upperdir=$home/upper,workdir=$home/work" sandbox "$world"
  build_proc_and_sys "$world"
  build_dev "$world"
  mount -t tmpfs -o mode=755,nosuid,nodev run "$world/run"
  build_units "$world"
  for pair; do bind_into "$world" "${pair%%:*}" "${pair#*:}"; done
  cd "$world"
  mkdir .before
  pivot_root . .before
  umount -l /.before
  rmdir /.before
  mount --make-rshared / # without it LoadCredential= shows the service an empty folder
  # What could reach beyond the namespaces is not to be had: kernel modules, the clock, the kernel's log.
  exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 container=sandbox \
    setpriv --bounding-set -sys_module,-sys_rawio,-sys_time,-syslog,-audit_control,-audit_read,-sys_boot \
    /lib/systemd/systemd --system --show-status=0 "systemd.unified_cgroup_hierarchy=$UNIFIED"
}

bind_into() { # world, from, to[:rw]
  local target=$1${3%:rw}
  if [[ -d $2 ]]; then mkdir -p "$target"; else mkdir -p "${target%/*}"; : >>"$target"; fi
  mount --bind "$2" "$target"
  [[ $3 == *:rw ]] || mount -o remount,bind,ro "$target"
}

build_proc_and_sys() {
  local knob
  mount -t proc -o nosuid,nodev,noexec proc "$1/proc"
  echo 512 >"$1/proc/sys/net/unix/max_dgram_qlen" # what systemd sets at boot; this counts for the private network alone
  for knob in sys sysrq-trigger irq bus; do       # the kernel's own knobs belong to the machine
    [[ -e $1/proc/$knob ]] || continue
    mount --bind "$1/proc/$knob" "$1/proc/$knob"
    mount -o remount,bind,ro "$1/proc/$knob"
  done
  mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$1/sys"
  [[ $UNIFIED == 0 ]] || mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 "$1/sys/fs/cgroup"
}

build_dev() {
  local name link
  mount -t tmpfs -o mode=755,nosuid dev "$1/dev"
  mkdir "$1"/dev/{pts,shm}
  for name in null zero full random urandom tty; do : >"$1/dev/$name"; mount --bind "/dev/$name" "$1/dev/$name"; done
  mount -t tmpfs -o mode=1777,nosuid,nodev shm "$1/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$1/dev/pts"
  for link in ptmx:pts/ptmx fd:/proc/self/fd stdin:fd/0 stdout:fd/1 stderr:fd/2; do ln -s "${link#*:}" "$1/dev/${link%%:*}"; done
}

# Boots to multi-user with the journal and, where there is one, D-Bus: none of the machine's own services starts.
build_units() {
  local shipped=/lib/systemd/system own=$1/etc/systemd/system socket
  rm -rf "$own" "$1$shipped"/*.target.wants "$1"/{etc,lib}/systemd/system-generators "$1/etc/machine-id"
  mkdir -p "$own"/{sysinit,sockets}.target.wants "$1/etc/systemd/journald.conf.d"
  ln -s $shipped/multi-user.target "$own/default.target"
  ln -s $shipped/systemd-journald.service "$own/sysinit.target.wants/"
  ln -s /dev/null "$own/tmp.mount" # it would hide what lies in /tmp
  for socket in systemd-journald.socket systemd-journald-dev-log.socket dbus.socket; do
    [[ ! -e $1$shipped/$socket ]] || ln -s "$shipped/$socket" "$own/sockets.target.wants/"
  done
  printf '[Journal]\nStorage=volatile\nAudit=no\nReadKMsg=no\nRateLimitBurst=0\n' >"$1/etc/systemd/journald.conf.d/sandbox.conf"
  : >"$1/etc/fstab"
  echo sandbox >"$1/etc/hostname"
  tr -d - </proc/sys/kernel/random/uuid >"$1/etc/machine-id"
}

case ${1:-} in
  @enter) # 1st stage inside: join the control groups made for us, then make them the roots of what we see
    shift; UNIFIED=$1 home=$2; shift 2
    while read -r group; do echo 0 >"$group/cgroup.procs"; done <"$home/groups" # 0: whoever writes
    exec unshare --cgroup "$BASH" "$0" @build "$UNIFIED" "$home" "$@" ;;
  @build) shift; UNIFIED=$1; shift; build_world "$@" ;;
esac

# ------------------------------------------------------------------------------------------------ outside: start, run, clean up
base=/ binds=()
while (($#)); do
  case $1 in
    --bind) [[ ${2:-} == /*:/* ]] || usage; binds+=("$2"); shift 2 ;;
    --share) [[ ${2:-} == /* ]] || usage; binds+=("$2:$2:rw"); shift 2 ;;
    --root) [[ ${2:-} == /* ]] || usage; base=$2; shift 2 ;;
    -*) usage ;;
    *) break ;;
  esac
done
(($#)) || usage
((EUID == 0)) || cannot "needs root"
[[ -x $base/lib/systemd/systemd ]] || cannot "no systemd here (apt-get install systemd)"
for tool in unshare nsenter setpriv pivot_root; do type -P $tool >/dev/null || cannot "no $tool here (apt-get install util-linux)"; done
unshare --mount --pid --fork --cgroup --net true 2>/dev/null || cannot "this machine grants no namespaces (an unprivileged container?)"

# Control groups all of version 2 where the machine has them so, or where this systemd knows no others.
release=$(chroot "$base" /lib/systemd/systemd --version | sed -n '1s/[^0-9]*\([0-9]*\).*/\1/p')
UNIFIED=0; [[ $(stat -fc %T /sys/fs/cgroup) != cgroup2fs && $release -lt 256 ]] || UNIFIED=1

home='' outer='' init='' command=''
remove() { # a sandbox's folder and its control groups, which empty themselves shortly after the last process
  local group tries
  while read -r group; do
    for tries in {1..100}; do
      find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || :
      [[ -d $group ]] || break
      sleep 0.05
    done
  done <"$1/groups"
  rm -rf --one-file-system "$1"
}
leave() {
  local code=$?
  trap - EXIT; trap '' INT TERM HUP
  if [[ -n $outer ]]; then
    [[ -z $init ]] || kill -KILL "$init" 2>/dev/null || : # the kernel ends everything inside with its PID 1
    kill -KILL "$outer" 2>/dev/null || :
    wait "$outer" $command 2>/dev/null || :
    [[ -z ${SANDBOX_VERBOSE:-} ]] || sed 's/^/console: /' "$home/console" >&2
  fi
  [[ -z $home ]] || remove "$home"
  exit $code
}
for stale in "${TMPDIR:-/tmp}"/drover-sandbox.*; do # left by a sandbox whose script was killed outright
  [[ ! -f $stale/pid ]] || kill -0 "$(<"$stale/pid")" 2>/dev/null || remove "$stale"
done
trap leave EXIT; trap 'exit 130' INT; trap 'exit 143' TERM HUP
home=$(mktemp -d "${TMPDIR:-/tmp}/drover-sandbox.${SANDBOX_TAG:-}XXXXXX")
: >"$home/groups"; echo $$ >"$home/pid"

# A group of our own in EVERY hierarchy: what the inner systemd creates then lies below, and never in the machine's.
while IFS=: read -r _ controllers path; do
  if [[ -z $controllers ]]; then
    for top in /sys/fs/cgroup /sys/fs/cgroup/unified; do
      [[ $(stat -fc %T $top 2>/dev/null) != cgroup2fs ]] || echo "$top/${home##*/}"
    done
  elif [[ -e /sys/fs/cgroup/${controllers#name=}/cgroup.procs ]]; then
    echo "/sys/fs/cgroup/${controllers#name=}${path%/}/${home##*/}"
  fi
done </proc/self/cgroup >"$home/groups.wanted"
while read -r group; do
  mkdir "$group" && echo "$group" >>"$home/groups"
  for file in cpuset.cpus cpuset.mems; do # version 1 starts them empty, and then lets no process in
    [[ $group != */cpuset*/* ]] || cat "${group%/*}/$file" >"$group/$file"
  done
done <"$home/groups.wanted"

setpriv --pdeathsig KILL unshare --fork --kill-child --mount --pid --uts --ipc --net \
  "$BASH" "$0" @enter "$UNIFIED" "$home" "$base" "${binds[@]}" </dev/null >"$home/console" 2>&1 &
outer=$!
state=
for _ in {1..400}; do # 20 s
  kill -0 $outer 2>/dev/null || break
  read -r init _ <"/proc/$outer/task/$outer/children" 2>/dev/null || :
  if [[ -n $init && $(<"/proc/$init/comm") == systemd ]] 2>/dev/null; then
    state=$(nsenter -t "$init" -a systemctl is-system-running 2>/dev/null) || :
    [[ $state != running && $state != degraded ]] || break
  fi
  sleep 0.05
done
if [[ $state != running && $state != degraded ]]; then
  { cat "$home/console"; echo "sandbox: the inner systemd did not come up (${state:-it died})"; } >&2
  exit 70
fi
nsenter -t "$init" -a -- env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 SYSTEMD_PAGER= HOME=/root \
  "$@" <&0 &
command=$!
wait $command && code=0 || code=$?
exit $code
