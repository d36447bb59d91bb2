#!/usr/bin/env bash
# A real OpenTelemetry collector on loopback: OTLP in; out to a file of OTLP JSON lines and to ClickHouse (the contrib
# exporter, table otel_traces).
# usage: collector.sh cached|build|start|stop|status
# env:   GHOSTSPAN_CACHE  GHOSTSPAN_STATE  OTLP_GRPC_PORT  OTLP_HTTP_PORT  HEALTH_PORT
#        CLICKHOUSE_URL=http://127.0.0.1:8123  CLICKHOUSE_PASSWORD
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

version=0.161.0
grpc=${OTLP_GRPC_PORT:-21327} http=${OTLP_HTTP_PORT:-21328} health=${HEALTH_PORT:-21134}
# The parts list is part of the name: a changed list is a new build.
parts=$(sha256sum "$BACKENDS_HERE/otelcol.yaml" | cut -c1-8)
bin=$BACKENDS_CACHE/otelcol-$version-$parts/otelcol-ghostspan
dir=$BACKENDS_STATE/collector-$grpc

build() {
  [ -x "$bin" ] && return
  need go "1.26.0 or newer"
  local out; out=$(dirname "$bin"); mkdir -p "$out"
  echo "building the OpenTelemetry collector $version (3 to 4 minutes on 2 cores the first time)" >&2
  GOBIN=$out nice -n 10 go install "go.opentelemetry.io/collector/cmd/builder@v$version"
  (cat "$BACKENDS_HERE/otelcol.yaml"; echo) | sed "s|^dist:|dist:\n  output_path: $out/src|" >"$out/parts.yaml"
  "$out/builder" --skip-compilation --config "$out/parts.yaml" 2>"$out/builder.log" || { cat "$out/builder.log" >&2; die "builder failed"; }
  (cd "$out/src" && CGO_ENABLED=0 nice -n 10 go build -buildvcs=false -trimpath -ldflags '-s -w' -o "$bin.new" .)
  mv "$bin.new" "$bin"
}

# What differs from the configuration that we give to users: ports of our own, and where traces go.
config() {
  cat <<Y
extensions:
  health_check: { endpoint: "$BACKENDS_HOST:$health" }
receivers:
  otlp:
    protocols:
      grpc: { endpoint: "$BACKENDS_HOST:$grpc" }
      http: { endpoint: "$BACKENDS_HOST:$http" }
exporters:
  file: { path: "$dir/spans.jsonl", flush_interval: 100ms }
service:
  pipelines:
    traces: { exporters: [file, clickhouse] }
  telemetry:
    metrics: { level: none }
Y
}

start_it() {
  config >"$dir/config.yaml"; : >"$dir/spans.jsonl"
  launch "$dir" env CLICKHOUSE_URL="${CLICKHOUSE_URL:?}" CLICKHOUSE_USER=default \
    CLICKHOUSE_PASSWORD="${CLICKHOUSE_PASSWORD:-}" \
    "$bin" --config "$BACKENDS_HERE/../../otel-config/collector.yaml" --config "$dir/config.yaml"
  ready "$dir" 30 "http://$BACKENDS_HOST:$health/"
}

urls() {
  echo "otlp_grpc=http://$BACKENDS_HOST:$grpc"
  echo "otlp_http=http://$BACKENDS_HOST:$http/v1/traces"
  echo "file=$dir/spans.jsonl"
}

verbs collector "$dir" "$bin" "${1:-}"
