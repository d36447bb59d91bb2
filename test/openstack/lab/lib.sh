# Shared settings and helpers of the OpenStack lab. Sourced by up.sh, down.sh,
# tempest.sh and trace.sh; needs bash and root.

# HERE is this folder (conf/, ml2/, seed.py live beside lib.sh).
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# LAB holds everything the lab writes: etc/ run/ log/ data/ state/.
LAB=${OSLAB:-/var/lib/ghostspan-openstack}
# WORKERS is the process count of every API service (Debian ships 8 or 16,
# sized for a real controller); THREADS the uwsgi threads of keystone and
# placement (Debian ships 32). nova-api and neutron-api have 1: both are
# monkey-patched by eventlet.
WORKERS=${OSLAB_WORKERS:-2}
THREADS=${OSLAB_THREADS:-8}
# OSLAB_PROFILER=0 switches OSProfiler off in every service (changes take
# effect at the next start: down.sh, then up.sh).
PROFILER=${OSLAB_PROFILER:-1}
HMAC_KEY=${OSLAB_HMAC_KEY:-SECRET_KEY}
# KAFKA=1: keystone, glance, nova and neutron send their notifications to a real
# Kafka broker on 127.0.0.1:$KAFKA_PORT, which must run; RPC stays on RabbitMQ.
# 0: no notifications. Takes effect at the next start, as above.
KAFKA=${KAFKA:-0}
# One password for every lab account; the lab listens on 127.0.0.1 only.
PASS=${OSLAB_PASS:-labsecret}
HOST_IP=127.0.0.1
COMPUTE_HOST=lab-compute
# OpenStack's APIs listen on the ports that everybody knows (5000, 8774, 8778,
# 9292, 9696); what stands behind them on ports of its own, so that a database
# or a broker that already runs here is never touched.
MYSQL_PORT=24306 RABBIT_PORT=24672 RABBIT_DIST_PORT=24673 EPMD_PORT=24369
MEMCACHED_PORT=24211 REDIS_PORT=24379
# The broker for KAFKA=1, started by whoever wants it.
KAFKA_PORT=${KAFKA_PORT:-9092}
# Debian's init scripts take the uwsgi of the highest python version.
UWSGI=$(ls /usr/bin/uwsgi_python3?* 2>/dev/null | sort -V | tail -1)
: "${UWSGI:=/usr/bin/uwsgi_python311}"
# The interpreter of Debian's packages, whatever pyenv or conda put in PATH.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV PYENV_VERSION
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY
export LC_ALL=C.UTF-8

say() { printf '%s %s\n' "$(date +%H:%M:%S)" "$*"; }
die() { say "FAILED: $*" >&2; exit 1; }

# start_time PID prints the process's start time in clock ticks (field 22 of
# /proc/PID/stat; the command name in field 2 may hold blanks, so cut it off).
start_time() {
  local s
  s=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  s=${s##*) }
  set -- $s
  echo "${20}"
}

# alive NAME: the pid file's process still runs and is the one that was started
# (same pid and same start time, so a recycled pid is never taken for it).
alive() {
  local pid st
  [ -f "$LAB/run/$1.pid" ] || return 1
  pid=$(cat "$LAB/run/$1.pid")
  st=$(cat "$LAB/run/$1.start" 2>/dev/null)
  [ -n "$pid" ] && [ -n "$st" ] && [ "$(start_time "$pid" 2>/dev/null)" = "$st" ]
}

# free NAME PORT: nobody listens there yet, unless it is NAME itself.
free() {
  alive "$1" || ! port "$2" || die "port $2, which $1 needs, is taken by another program: $(ss -Hltnp "sport = :$2" 2>/dev/null | grep -o 'users:.*')"
}

# launch NAME USER DIR COMMAND...: start COMMAND as USER in DIR with no
# terminal, output appended to log/NAME.log, pid in run/NAME.pid. Does nothing
# when it already runs. setsid and setpriv exec in place, so the pid is the
# daemon's own.
launch() {
  local name=$1 user=$2 dir=$3; shift 3
  alive "$name" && { say "$name already runs (pid $(cat "$LAB/run/$name.pid"))"; return 0; }
  local pid
  ( cd "$dir" && exec setsid setpriv --reuid="$user" --regid="$(id -gn "$user")" \
      --init-groups "$@" >>"$LAB/log/$name.log" 2>&1 </dev/null ) &
  pid=$!
  echo "$pid" >"$LAB/run/$name.pid"
  start_time "$pid" >"$LAB/run/$name.start"
  say "started $name (pid $pid)"
}

# wait_for SECONDS WHAT COMMAND...: poll until COMMAND succeeds.
wait_for() {
  local limit=$1 what=$2 t0=$SECONDS; shift 2
  until "$@" >/dev/null 2>&1; do
    [ $((SECONDS - t0)) -lt "$limit" ] || die "$what not ready after ${limit}s (see $LAB/log)"
    sleep 0.5
  done
  say "$what is up ($((SECONDS - t0))s)"
}

# port PORT: something accepts on 127.0.0.1:PORT.
port() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# http URL CODE...: GET answers with one of the codes.
http() {
  local url=$1 code c; shift
  code=$(curl -s -o /dev/null -m 20 -w '%{http_code}' "$url") || return 1
  for c in "$@"; do [ "$code" = "$c" ] && return 0; done
  return 1
}

# as USER COMMAND...
as() {
  local user=$1; shift
  setpriv --reuid="$user" --regid="$(id -gn "$user")" --init-groups \
    env HOME="$LAB/data/home" "$@"
}

# render TEMPLATE TARGET: fill @NAME@ marks.
render() {
  local prof=false
  [ "$PROFILER" = 1 ] && prof=true
  local notify="noop" url="# transport_url: none"
  [ "$KAFKA" = 1 ] && notify="messagingv2" url="transport_url = kafka://$HOST_IP:$KAFKA_PORT/"
  sed -e "s|@LAB@|$LAB|g" -e "s|@IP@|$HOST_IP|g" -e "s|@PASS@|$PASS|g" \
    -e "s|@WORKERS@|$WORKERS|g" -e "s|@THREADS@|$THREADS|g" \
    -e "s|@PROFILER@|$prof|g" -e "s|@HMAC_KEY@|$HMAC_KEY|g" \
    -e "s|@NOTIFY@|$notify|g" -e "s|@NOTIFY_URL@|$url|g" \
    -e "s|@MYSQL_PORT@|$MYSQL_PORT|g" -e "s|@MEMCACHED_PORT@|$MEMCACHED_PORT|g" \
    -e "s|@REDIS_PORT@|$REDIS_PORT|g" -e "s|@RABBIT_PORT@|$RABBIT_PORT|g" \
    -e "s|@COMPUTE_HOST@|$COMPUTE_HOST|g" "$1" >"$2"
}

# once NAME COMMAND...: run COMMAND one time in the lab's life (stamp in state/).
once() {
  local stamp="$LAB/state/$1"; shift
  [ -e "$stamp" ] && return 0
  "$@" || return 1
  : >"$stamp"
}
