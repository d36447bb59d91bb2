import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OtlpExporterSettings } from '../../src/config/settings.js'
import { issueText } from '../../src/config/settings-error.js'
import { issuesOf, load, settingsFile } from './settings-for-test.js'

const otlp = (environment: Record<string, string>): OtlpExporterSettings => {
  const [exporter, ...more] = load({ environment }).settings.export.exporters
  assert.equal(more.length, 0)
  assert.equal(exporter?.kind, 'otlp')
  return exporter as OtlpExporterSettings
}
const refusals = (environment: Record<string, string>) => issuesOf({ environment }).map(issueText)

test('without any setting every value is the documented default', () => {
  assert.deepEqual(load().settings, {
    resourceAttributes: {},
    attributeLimits: { valueLength: 4096, count: 128 },
    export: {
      when: 'listening',
      exporters: [
        {
          kind: 'otlp',
          protocol: 'grpc',
          endpoint: 'http://localhost:4317',
          headers: {},
          compression: 'none',
          timeoutMillis: 10_000,
          tls: { caFile: undefined, keyFile: undefined, certFile: undefined, insecure: false },
          batch: {
            scheduleDelayMillis: 1_000,
            exportTimeoutMillis: 300_000,
            maxQueueSize: 65_536,
            maxBatchSize: 2_048,
          },
        },
      ],
    },
    selection: { default: 'include', rules: [] },
    capture: { ringBufferBytes: 16 * 1024 * 1024, pollIntervalMillis: 8, hooks: 'auto' },
    disabledProtocols: [],
    serviceRules: [],
    correlation: { confidenceFloor: 0.5 },
    traces: {
      quietMillis: 2_000,
      longestMillis: 60_000,
      openLimit: 200_000,
      processRoots: {
        programs:
          'openstack nova glance keystone neutron cinder swift heat ironic manila designate barbican magnum trove'.split(
            ' ',
          ),
        commandLines: [],
      },
    },
    archive: {
      enabled: true,
      dataDirectory: '/home/u/.local/share/ghostspan',
      clickhouse: undefined,
      listen: undefined,
      retention: { ageMillis: 7 * 86_400_000, sizeBytes: 10e9 },
      spoolBytes: 1e9,
    },
    sampling: { enabled: false, share: 0.1, rules: [] },
    shapes: { store: false, thinAfterSeconds: 3 * 86_400 },
    sketches: {
      enabled: true,
      retentionSeconds: { minutes: 7 * 86_400, hours: 90 * 86_400, days: 1095 * 86_400 },
    },
    health: { enabled: true, host: '127.0.0.1', port: 9464, required: false },
    log: { level: 'info', format: 'text' },
    shutdownTimeoutMillis: 10_000,
  })
})

test('settings are frozen, all the way down', () => {
  const { settings } = load()
  assert.ok(Object.isFrozen(settings) && Object.isFrozen(settings.archive.retention))
  assert.ok(Object.isFrozen(settings.export.exporters[0]))
})

test('data lie in /var/lib for root, in the XDG data home for others, and an XDG home must be absolute', () => {
  const place = (user: number, environment: Record<string, string> = {}) =>
    load({ user, environment }).settings.archive.dataDirectory
  assert.equal(place(0, { XDG_DATA_HOME: '/data' }), '/var/lib/ghostspan')
  assert.equal(place(1000, { XDG_DATA_HOME: '/data' }), '/data/ghostspan')
  assert.equal(place(1000, { XDG_DATA_HOME: 'relative' }), '/home/u/.local/share/ghostspan')
})

test('a flag wins over the environment, the environment over the file, the file over the default', t => {
  const file = settingsFile(t, 'file_format: "1.1"\ndistribution: { ghostspan: { traces: { quiet: 3s } } }')
  const environment = { GHOSTSPAN_TRACES_QUIET: '4s' }
  const flags = [{ place: '--quiet', path: ['distribution', 'ghostspan', 'traces', 'quiet'], value: '5s' }]
  const quiet = (sources: Parameters<typeof load>[0]) => load(sources).settings.traces.quietMillis
  assert.equal(quiet({}), 2_000)
  assert.equal(quiet({ file }), 3_000)
  assert.equal(quiet({ file, environment }), 4_000)
  assert.equal(quiet({ file, environment, flags }), 5_000)
})

test('the file is named by --config, else by OTEL_CONFIG_FILE', t => {
  const one = settingsFile(t, 'file_format: "1.1"\nattribute_limits: { attribute_count_limit: 11 }')
  const other = settingsFile(t, 'file_format: "1.1"\nattribute_limits: { attribute_count_limit: 22 }')
  const environment = { OTEL_CONFIG_FILE: one }
  assert.equal(load({ environment }).settings.attributeLimits.count, 11)
  assert.equal(load({ environment }).file, one)
  assert.equal(load({ environment, file: other }).settings.attributeLimits.count, 22)
})

test('a file that is not there is named', () => {
  assert.match(refusals({ OTEL_CONFIG_FILE: '/nowhere/x.yaml' }).join(), /^\/nowhere\/x\.yaml: cannot be read: ENOENT/)
})

test('with a file, OTEL_ variables count only where the file names them', t => {
  const environment = {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://env:4317',
    OTEL_LOG_LEVEL: 'debug',
    OTEL_SDK_DISABLED: 'true',
  }
  const silent = load({ file: settingsFile(t, 'file_format: "1.1"'), environment }).settings
  assert.equal(silent.log.level, 'info')
  assert.equal(silent.export.when, 'listening')
  assert.equal((silent.export.exporters[0] as OtlpExporterSettings).endpoint, 'http://localhost:4317')
  const naming = settingsFile(
    t,
    'file_format: "1.1"\ntracer_provider: { processors: [{ batch: { exporter: { otlp_grpc: { endpoint: "$' +
      '{OTEL_EXPORTER_OTLP_ENDPOINT}" } } } }] }',
  )
  const { settings } = load({ file: naming, environment })
  assert.equal((settings.export.exporters[0] as OtlpExporterSettings).endpoint, 'http://env:4317')
  assert.equal(settings.export.when, 'always')
})

test('every variable of ours is read with the type of its setting', () => {
  const { settings } = load({
    environment: {
      GHOSTSPAN_SELECTION_DEFAULT: 'exclude',
      GHOSTSPAN_PROTOCOLS_REDIS_ENABLED: 'FALSE',
      GHOSTSPAN_CORRELATION_CONFIDENCE_FLOOR: '0.7',
      GHOSTSPAN_TRACES_OPEN_LIMIT: '1000',
      GHOSTSPAN_ARCHIVE_CLICKHOUSE_URL: 'http://ch:8123',
      GHOSTSPAN_ARCHIVE_CLICKHOUSE_PASSWORD: '0123',
      GHOSTSPAN_OPERATIONS_HEALTH_LISTEN: '[::1]:0',
      GHOSTSPAN_OPERATIONS_LOG_LEVEL: '',
    },
  })
  assert.equal(settings.selection.default, 'exclude')
  assert.deepEqual(settings.disabledProtocols, ['redis'])
  assert.equal(settings.correlation.confidenceFloor, 0.7)
  assert.equal(settings.traces.openLimit, 1000)
  assert.deepEqual(settings.archive.clickhouse, {
    url: 'http://ch:8123',
    user: 'default',
    password: '0123',
    database: 'ghostspan',
  })
  assert.deepEqual([settings.health.host, settings.health.port], ['::1', 0])
  assert.equal(settings.log.level, 'info')
})

test('a wrong variable names itself and what is allowed', () => {
  assert.deepEqual(refusals({ GHOSTSPAN_OPERATIONS_LOG_LEVEL: 'loud', GHOSTSPAN_TRACES_OPEN_LIMIT: 'x' }), [
    "environment variable GHOSTSPAN_TRACES_OPEN_LIMIT: distribution.ghostspan.traces.open_limit: must be a whole number from 100 to 10000000; not 'x'",
    "environment variable GHOSTSPAN_OPERATIONS_LOG_LEVEL: distribution.ghostspan.operations.log.level: must be one of: debug, info, warn, error; not 'loud'",
  ])
})

test('a variable that needs another one names itself', () => {
  assert.deepEqual(refusals({ GHOSTSPAN_ARCHIVE_CLICKHOUSE_USER: 'me' }), [
    'environment variable GHOSTSPAN_ARCHIVE_CLICKHOUSE_USER: distribution.ghostspan.archive.clickhouse.url: is missing; it must be a URL that begins with http:// or https://',
  ])
})

test('a mistyped variable of ours is warned of', () => {
  const { warnings } = load({ environment: { GHOSTSPAN_TRACES_QUITE: '1s', GHOSTSPAN_REQUIRE_ALL: '1' } })
  assert.deepEqual(warnings, [
    'environment variable GHOSTSPAN_TRACES_QUITE is not a setting and was ignored; did you mean GHOSTSPAN_TRACES_QUIET?',
  ])
})

test('the general endpoint gets the path of traces over HTTP, the endpoint of traces is used as it is', () => {
  const http = { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' }
  assert.equal(otlp({ ...http, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318/' }).endpoint, 'http://c:4318/v1/traces')
  assert.equal(otlp({ ...http, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c/base' }).endpoint, 'http://c/base/v1/traces')
  assert.equal(otlp({ ...http, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c/x' }).endpoint, 'http://c/x')
  const grpc = { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_ENDPOINT: 'https://c:4317' }
  assert.equal(otlp(grpc).endpoint, 'https://c:4317')
})

test('without a protocol an endpoint speaks gRPC, unless its port or path says HTTP', () => {
  const protocol = (endpoint: string) => otlp({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }).protocol
  assert.equal(protocol('http://c:4317'), 'grpc')
  assert.equal(protocol('c:4317'), 'grpc')
  assert.equal(protocol('http://c:4318'), 'http/protobuf')
  assert.equal(protocol('http://c/otlp'), 'http/protobuf')
})

test('the variables of traces win over the general ones', () => {
  const exporter = otlp({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://general:4318',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces:9000',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc',
    OTEL_EXPORTER_OTLP_HEADERS: 'a=1',
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'authorization=Bearer%20x, b = 2',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    OTEL_EXPORTER_OTLP_TIMEOUT: '5000',
    OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '700',
    OTEL_EXPORTER_OTLP_CERTIFICATE: '/ca.pem',
    OTEL_EXPORTER_OTLP_CLIENT_KEY: '/k.pem',
    OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: '/c.pem',
  })
  assert.deepEqual(
    { ...exporter, batch: undefined },
    {
      kind: 'otlp',
      protocol: 'grpc',
      endpoint: 'https://traces:9000',
      headers: { authorization: 'Bearer x', b: '2' },
      compression: 'gzip',
      timeoutMillis: 700,
      tls: { caFile: '/ca.pem', keyFile: '/k.pem', certFile: '/c.pem', insecure: false },
      batch: undefined,
    },
  )
})

test('http/json is OTLP over HTTP with JSON', () => {
  assert.equal(otlp({ OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' }).protocol, 'http/json')
  assert.equal(otlp({ OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' }).endpoint, 'http://localhost:4318/v1/traces')
})

test('only a chosen exporter or an endpoint makes the export certain', () => {
  const when = (environment: Record<string, string>) => load({ environment }).settings.export.when
  assert.equal(when({ OTEL_EXPORTER_OTLP_TIMEOUT: '1' }), 'listening')
  assert.equal(when({ OTEL_TRACES_EXPORTER: 'otlp' }), 'always')
  assert.equal(when({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4317' }), 'always')
})

test('OTEL_TRACES_EXPORTER chooses among otlp, console and none', () => {
  const kinds = (value: string, more: Record<string, string> = {}) =>
    load({ environment: { OTEL_TRACES_EXPORTER: value, ...more } }).settings.export.exporters.map(one => one.kind)
  assert.deepEqual(kinds('console'), ['console'])
  assert.deepEqual(kinds('otlp,console', { OTEL_BSP_SCHEDULE_DELAY: '5' }), ['otlp', 'console'])
  assert.deepEqual(kinds('none', { OTEL_BSP_SCHEDULE_DELAY: '5' }), [])
  assert.deepEqual(refusals({ OTEL_TRACES_EXPORTER: 'zipkin' }), [
    "environment variable OTEL_TRACES_EXPORTER: must be one of: otlp, console, none; not 'zipkin'",
  ])
})

test('wrong OTEL_ variables name themselves and what is allowed', () => {
  assert.deepEqual(
    refusals({
      OTEL_EXPORTER_OTLP_PROTOCOL: 'tcp',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'br',
      OTEL_EXPORTER_OTLP_CLIENT_KEY: '/k.pem',
      OTEL_BSP_MAX_QUEUE_SIZE: 'x',
      OTEL_SDK_DISABLED: 'maybe',
      OTEL_LOG_LEVEL: 'chatty',
    }).map(text => text.replace('tracer_provider.processors.0.batch', '…')),
    [
      "environment variable OTEL_EXPORTER_OTLP_PROTOCOL: must be one of: grpc, http/protobuf, http/json; not 'tcp'",
      "environment variable OTEL_SDK_DISABLED: disabled: must be true or false; not 'maybe'",
      "environment variable OTEL_BSP_MAX_QUEUE_SIZE: ….max_queue_size: must be a whole number from 1 to 10000000; not 'x'",
      'environment variable OTEL_EXPORTER_OTLP_CLIENT_KEY: ….exporter.otlp_grpc.tls: key_file and cert_file must be given together',
      "environment variable OTEL_EXPORTER_OTLP_COMPRESSION: ….exporter.otlp_grpc.compression: must be one of: none, gzip; not 'br'",
      "environment variable OTEL_LOG_LEVEL: distribution.ghostspan.operations.log.level: must be one of: debug, info, warn, error; not 'chatty'",
    ],
  )
})

test('the other standard variables are honoured, and a service name is not', () => {
  const { settings, warnings } = load({
    environment: {
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=prod%20one,team=a',
      OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: '100',
      OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '9',
      OTEL_LOG_LEVEL: 'WARN',
      OTEL_SERVICE_NAME: 'x',
    },
  })
  assert.deepEqual(settings.resourceAttributes, { 'deployment.environment.name': 'prod one', team: 'a' })
  assert.deepEqual(settings.attributeLimits, { valueLength: 100, count: 9 })
  assert.equal(settings.log.level, 'warn')
  assert.match(warnings.join(), /OTEL_SERVICE_NAME was ignored/)
  assert.deepEqual(load({ environment: { OTEL_SDK_DISABLED: 'true' } }).settings.export.exporters, [])
})

test('a file is turned into plain values with one unit each', t => {
  const file = settingsFile(
    t,
    `file_format: "1.1"
resource:
  attributes: [{ name: team, value: shop }, { name: shard, value: 3 }]
  attributes_list: team=other,zone=a
tracer_provider:
  processors:
    - batch:
        exporter:
          otlp_http:
            endpoint: http://c:4318/v1/traces
            headers: [{ name: k, value: v }]
            headers_list: k=loses,l=w
            tls: { ca_file: /ca.pem }
    - batch: { exporter: { console: } }
distribution:
  ghostspan:
    selection:
      default: exclude
      rules: [{ action: include, executable: /usr/sbin/nginx, user: 33, port: 80, cgroup: /a/*, command_line: web }]
    services: { rules: [{ name: web, command_line: "gunicorn .*web" }] }
    archive: { data_directory: /data, retention: { age: 1.5h, size: 1GiB } }
`,
  )
  const { settings } = load({ file })
  assert.deepEqual(settings.resourceAttributes, { team: 'shop', shard: 3, zone: 'a' })
  const [http, console] = settings.export.exporters as [OtlpExporterSettings, { kind: string }]
  assert.deepEqual([http.protocol, http.headers, http.tls.caFile], ['http/protobuf', { k: 'v', l: 'w' }, '/ca.pem'])
  assert.equal(console.kind, 'console')
  assert.deepEqual(settings.selection.rules, [
    { action: 'include', executable: '/usr/sbin/nginx', commandLine: 'web', port: 80, user: 33, cgroup: '/a/*' },
  ])
  assert.deepEqual(settings.serviceRules, [{ name: 'web', commandLine: 'gunicorn .*web' }])
  assert.equal(settings.archive.dataDirectory, '/data')
  assert.deepEqual(settings.archive.retention, { ageMillis: 5_400_000, sizeBytes: 2 ** 30 })
})
