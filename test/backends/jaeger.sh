#!/usr/bin/env bash
# A real Jaeger v2 (in-memory storage, no web page) on loopback, built from its Go module.
# usage: jaeger.sh cached|build|start|stop|status
# env:   GHOSTSPAN_CACHE  GHOSTSPAN_STATE  OTLP_GRPC_PORT  OTLP_HTTP_PORT  QUERY_PORT  QUERY_GRPC_PORT  HEALTH_PORT
# The last v1.x tag of the module is v2.13.0 under its old name: same commit, cmd/jaeger is Jaeger v2.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

version=v1.76.0 release=v2.13.0
grpc=${OTLP_GRPC_PORT:-21317} http=${OTLP_HTTP_PORT:-21318}
query=${QUERY_PORT:-21686} query_grpc=${QUERY_GRPC_PORT:-21685} health=${HEALTH_PORT:-21133}
bin=$BACKENDS_CACHE/jaeger-$release/jaeger
dir=$BACKENDS_STATE/jaeger-$query

build() {
  [ -x "$bin" ] && return
  need go "1.24.6 or newer"
  local work=$BACKENDS_CACHE/jaeger-$release/build module
  mkdir -p "$work"
  # `go install` refuses a module that has a replace line, so a module of our own requires Jaeger and repeats that line.
  # Jaeger's own go.sum is the lock: all it needs is checked against it, without a look-up for each.
  cat >"$work/go.mod" <<M
module ghostspan.test/jaeger

go 1.24.6

require github.com/jaegertracing/jaeger $version

replace github.com/Shopify/sarama => github.com/Shopify/sarama v1.33.0
M
  module=$(cd / && go mod download -json "github.com/jaegertracing/jaeger@$version" | sed -n 's/^\t"Dir": "\(.*\)",*/\1/p')
  [ -d "$module" ] || die "cannot download the Jaeger module"
  install -m 644 "$module/go.sum" "$work/go.sum"
  echo "building Jaeger $release (8 to 10 minutes on 2 cores the first time)" >&2
  (cd "$work" && CGO_ENABLED=0 nice -n 10 go build -mod=mod -buildvcs=false -trimpath \
    -ldflags "-s -w -X github.com/jaegertracing/jaeger/internal/version.latestVersion=$release" \
    -o "$bin.new" github.com/jaegertracing/jaeger/cmd/jaeger)
  mv "$bin.new" "$bin"
}

# The configuration that we give to users, on ports of our own.
start_it() {
  launch "$dir" env LISTEN_HOST="$BACKENDS_HOST" OTLP_GRPC_PORT="$grpc" OTLP_HTTP_PORT="$http" \
    QUERY_PORT="$query" QUERY_GRPC_PORT="$query_grpc" HEALTH_PORT="$health" \
    "$bin" --config "$BACKENDS_HERE/../../otel-config/jaeger.yaml"
  ready "$dir" 30 "http://$BACKENDS_HOST:$health/status"
  ready "$dir" 10 "http://$BACKENDS_HOST:$query/api/services"
}

urls() {
  echo "otlp_grpc=http://$BACKENDS_HOST:$grpc"
  echo "otlp_http=http://$BACKENDS_HOST:$http/v1/traces"
  echo "query=http://$BACKENDS_HOST:$query"
}

verbs jaeger "$dir" "$bin" "${1:-}"
