# Shared by the scripts beside it; sourced, never run.
# Each backend is one process on loopback with one state folder: pid, log, config. Neither containers nor root needed.
set -euo pipefail

BACKENDS_HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BACKENDS_CACHE=${GHOSTSPAN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ghostspan}
BACKENDS_STATE=${GHOSTSPAN_STATE:-$BACKENDS_CACHE/run}
BACKENDS_HOST=127.0.0.1

die() { echo "$(basename "$0"): $*" >&2; exit 1; }
need() { command -v "$1" >/dev/null || die "needs $1 on the PATH${2:+ ($2)}"; }

# once NAME COMMAND...: run the build under a lock, so that parallel test files build once
once() {
  local lock=$BACKENDS_CACHE/$1.lock; shift
  mkdir -p "$BACKENDS_CACHE"
  exec 9>"$lock"; flock 9; "$@"; exec 9>&-
}

# alive PIDFILE: true when that pid runs and is still the program we started (a pid can be reused)
alive() {
  local pid start now
  [ -s "$1" ] || return 1
  read -r pid start <"$1"
  now=$(awk '{ sub(/^.*\) /, ""); print $20 }' "/proc/$pid/stat" 2>/dev/null) || return 1
  [ "$now" = "$start" ]
}

# launch DIR PROGRAM ARGS...: start in the background, remember pid and start time
launch() {
  local dir=$1; shift
  alive "$dir/pid" && die "already runs (pid $(cut -d' ' -f1 "$dir/pid")), state in $dir"
  setsid "$@" >"$dir/log" 2>&1 </dev/null 9>&- &
  local pid=$!
  echo "$pid $(awk '{ sub(/^.*\) /, ""); print $20 }' "/proc/$pid/stat")" >"$dir/pid"
}

# ready DIR SECONDS URL: wait until URL answers 2xx, or say why not
ready() {
  local dir=$1 tries=$(( $2 * 10 )) url=$3
  while ! curl -fsS -o /dev/null --max-time 2 "$url" 2>/dev/null; do
    alive "$dir/pid" || { tail -n 20 "$dir/log" >&2; die "ended before it was ready, log in $dir/log"; }
    tries=$(( tries - 1 ))
    [ "$tries" -gt 0 ] || { tail -n 20 "$dir/log" >&2; die "not ready in time: $url"; }
    sleep 0.1
  done
}

# halt DIR: TERM, ten seconds, then KILL; only ever the pid that launch wrote
halt() {
  local pid n=100
  if ! alive "$1/pid"; then rm -f "$1/pid"; return 0; fi
  read -r pid _ <"$1/pid"
  kill -TERM "$pid"
  while alive "$1/pid" && [ $n -gt 0 ]; do sleep 0.1; n=$(( n - 1 )); done
  alive "$1/pid" && kill -KILL "$pid"
  rm -f "$1/pid"
}

# rss DIR: resident memory in MB
rss() { read -r pid _ <"$1/pid"; awk '/^VmRSS/ { printf "%d\n", $2 / 1024 }' "/proc/$pid/status"; }

# verbs NAME DIR BINARY VERB: the common command line; the script defines build, config, start_it, urls
verbs() {
  local name=$1 dir=$2 binary=$3 verb=${4:-start}
  case $verb in
    cached) [ -x "$binary" ] ;;
    build) once "$name" build ;;
    start) once "$name" build; mkdir -p "$dir"; alive "$dir/pid" && { urls; exit 0; }; start_it; urls ;;
    stop) halt "$dir" ;;
    status) alive "$dir/pid" && { urls; echo "rss_mb=$(rss "$dir")"; } || { echo "stopped"; exit 1; } ;;
    *) die "usage: $(basename "$0") cached|build|start|stop|status" ;;
  esac
}
