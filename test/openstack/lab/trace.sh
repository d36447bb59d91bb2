#!/bin/bash
# Runs one OpenStack command under OSProfiler and saves its trace tree as JSON.
#   trace.sh OUT.json openstack-arguments...
#   e.g. trace.sh /tmp/t.json server create --image lab-image --flavor lab.tiny --network lab-net vm1
# Waits until the trace stops growing (server create goes on after the command).
set -u
. "$(dirname "$0")/lib.sh"
out=${1:?usage: trace.sh OUT.json openstack-arguments...}; shift
. "$LAB/openrc"
log=$(mktemp)
openstack --os-profile "$HMAC_KEY" "$@" >"$log" 2>&1
rc=$?
cat "$log"
id=$(sed -n 's/^Trace ID: *//p' "$log" | tail -1)
rm -f "$log"
[ -n "$id" ] || die "no trace id (rc $rc)"
last=-1 same=0
for _ in $(seq 60); do
  n=$(redis-cli -h "$HOST_IP" -p $REDIS_PORT llen "osprofiler_opt:$id")
  if [ "$n" = "$last" ]; then same=$((same + 1)); else same=0; fi
  [ "$same" -ge 4 ] && break
  last=$n
  sleep 1
done
osprofiler trace show --json "$id" --connection-string "redis://$HOST_IP:$REDIS_PORT" >"$out" || die "osprofiler"
say "trace $id: $n events in redis, $(wc -c <"$out") bytes of JSON in $out"
exit $rc
