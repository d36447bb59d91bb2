import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PROTOCOL_NAMES } from '../../src/config/distribution-schema.js'
import { issueText } from '../../src/config/settings-error.js'
import { settingsJsonSchema } from '../../src/config/settings-schema.js'
import { issuesOf, load, settingsFile } from './settings-for-test.js'

const head = 'file_format: "1.1"\n'
const own = (lines: string) => `${head}distribution:\n  ghostspan:\n${lines}`
const exporter = (lines: string) => `${head}tracer_provider:\n  processors:\n    - batch:\n        exporter:\n${lines}`

const DURATION = 'must be a duration: a number with ms, s, m, h or d, such as 500ms, 2s or 7d'
const SIZE = 'must be a size: a number with B, KB, MB, GB, TB, KiB, MiB, GiB or TiB, such as 16MiB or 10GB'

const wrong: readonly (readonly [what: string, file: string, message: string])[] = [
  [
    'an unknown setting at the top',
    `${head}log_level: info`,
    'ghostspan.yaml:2:1: log_level: is not a setting; allowed: file_format, disabled, resource, attribute_limits, tracer_provider, distribution',
  ],
  [
    'a mistyped group',
    own('    archiv: {}'),
    'ghostspan.yaml:4:5: distribution.ghostspan.archiv: is not a setting (did you mean archive?); allowed: version, selection, capture, protocols, services, correlation, traces, archive, sketches, shapes, sampling, operations',
  ],
  [
    'a mistyped name',
    own('    archive:\n      retention: { size: 1GB, agee: 7d }'),
    'ghostspan.yaml:5:31: distribution.ghostspan.archive.retention.agee: is not a setting (did you mean age?); allowed: age, size',
  ],
  [
    'an unknown protocol',
    own('    protocols: { htpt: { enabled: false } }'),
    `ghostspan.yaml:4:18: distribution.ghostspan.protocols.htpt: is not a setting (did you mean http?); allowed: ${PROTOCOL_NAMES.join(', ')}`,
  ],
  ['no file_format', 'disabled: true', 'ghostspan.yaml:1:1: file_format: is missing; it must be a quoted text: "1.1"'],
  [
    'an unquoted file_format',
    'file_format: 1.1',
    'ghostspan.yaml:1:1: file_format: must be a quoted text: "1.1"; not 1.1',
  ],
  [
    'another major version',
    'file_format: "2.0"',
    `ghostspan.yaml:1:1: file_format: must be "1.1" (any 1.x); not '2.0'`,
  ],
  [
    'an older major version',
    'file_format: "0.4"',
    `ghostspan.yaml:1:1: file_format: must be "1.1" (any 1.x); not '0.4'`,
  ],
  [
    'another major version of our part',
    own('    version: "2.0"'),
    `ghostspan.yaml:4:5: distribution.ghostspan.version: must be "1.0" (any 1.x); not '2.0'`,
  ],
  ['a flag that is a text', `${head}disabled: "yes"`, "ghostspan.yaml:2:1: disabled: must be true or false; not 'yes'"],
  [
    'a default action',
    own('    selection: { default: allow }'),
    "ghostspan.yaml:4:18: distribution.ghostspan.selection.default: must be one of: include, exclude; not 'allow'",
  ],
  [
    'a rule without criteria',
    own('    selection:\n      rules:\n        - action: include'),
    'ghostspan.yaml:6:11: distribution.ghostspan.selection.rules.0: must have at least one of: executable, command_line, port, user, cgroup',
  ],
  [
    'an action of a rule',
    own('    selection:\n      rules:\n        - { action: drop, port: 22 }'),
    "ghostspan.yaml:6:13: distribution.ghostspan.selection.rules.0.action: must be one of: include, exclude; not 'drop'",
  ],
  [
    'a port of a rule',
    own('    selection:\n      rules:\n        - { action: include, port: 70000 }'),
    'ghostspan.yaml:6:30: distribution.ghostspan.selection.rules.0.port: must be a whole number from 1 to 65535; not 70000',
  ],
  [
    'a regular expression',
    own('    selection:\n      rules:\n        - { action: include, command_line: "(" }'),
    "ghostspan.yaml:6:30: distribution.ghostspan.selection.rules.0.command_line: must be a valid regular expression (JavaScript); not '('",
  ],
  [
    'rules that are no list',
    own('    selection: { rules: 5 }'),
    'ghostspan.yaml:4:18: distribution.ghostspan.selection.rules: must be a list; not 5',
  ],
  [
    'a size of the ring',
    own('    capture: { ring_buffer: 16 }'),
    `ghostspan.yaml:4:16: distribution.ghostspan.capture.ring_buffer: ${SIZE}, from 256KiB to 1GiB; not 16`,
  ],
  [
    'a ring that is too small',
    own('    capture: { ring_buffer: 1KiB }'),
    `ghostspan.yaml:4:16: distribution.ghostspan.capture.ring_buffer: ${SIZE}, from 256KiB to 1GiB; not '1KiB'`,
  ],
  [
    'a poll interval',
    own('    capture: { poll_interval: 5 seconds }'),
    `ghostspan.yaml:4:16: distribution.ghostspan.capture.poll_interval: ${DURATION}, from 1ms to 1s; not '5 seconds'`,
  ],
  [
    'a service without a name',
    own('    services: { rules: [{ port: 80 }] }'),
    'ghostspan.yaml:4:25: distribution.ghostspan.services.rules.0.name: is missing; it must be a text',
  ],
  [
    'a service rule without criteria',
    own('    services: { rules: [{ name: web }] }'),
    'ghostspan.yaml:4:25: distribution.ghostspan.services.rules.0: must have at least one of: executable, command_line, port',
  ],
  [
    'a confidence',
    own('    correlation: { confidence_floor: 1.5 }'),
    'ghostspan.yaml:4:20: distribution.ghostspan.correlation.confidence_floor: must be a number from 0 to 1; not 1.5',
  ],
  [
    'a quiet time',
    own('    traces: { quiet: 1ms }'),
    `ghostspan.yaml:4:15: distribution.ghostspan.traces.quiet: ${DURATION}, from 10ms to 10m; not '1ms'`,
  ],
  [
    'an open limit',
    own('    traces: { open_limit: many }'),
    "ghostspan.yaml:4:15: distribution.ghostspan.traces.open_limit: must be a whole number from 100 to 10000000; not 'many'",
  ],
  [
    'an archive without a URL',
    own('    archive: { clickhouse: { user: me } }'),
    'ghostspan.yaml:4:16: distribution.ghostspan.archive.clickhouse.url: is missing; it must be a URL that begins with http:// or https://',
  ],
  [
    'a URL of the archive',
    own('    archive: { clickhouse: { url: "localhost:8123" } }'),
    "ghostspan.yaml:4:30: distribution.ghostspan.archive.clickhouse.url: must be a URL that begins with http:// or https://; not 'localhost:8123'",
  ],
  [
    'a database',
    own('    archive: { clickhouse: { url: "http://h", database: "a b" } }'),
    "ghostspan.yaml:4:47: distribution.ghostspan.archive.clickhouse.database: must be a name of letters, digits and _; not 'a b'",
  ],
  [
    'an address',
    own('    operations: { health: { listen: 9464 } }'),
    'ghostspan.yaml:4:29: distribution.ghostspan.operations.health.listen: must be an address and a port, such as 127.0.0.1:9464 or [::1]:9464; not 9464',
  ],
  [
    'a level',
    own('    operations: { log: { level: verbose } }'),
    "ghostspan.yaml:4:26: distribution.ghostspan.operations.log.level: must be one of: debug, info, warn, error; not 'verbose'",
  ],
  [
    'a group that is a text',
    own('    archive: yes please'),
    "ghostspan.yaml:4:5: distribution.ghostspan.archive: must be a group of: enabled, data_directory, clickhouse, listen, retention, spool; not 'yes please'",
  ],
  [
    'two exporters in one',
    exporter('          otlp_grpc:\n          otlp_http:'),
    'ghostspan.yaml:5:9: tracer_provider.processors.0.batch.exporter: must have exactly one of: otlp_grpc, otlp_http, console',
  ],
  [
    'an unknown exporter',
    exporter('          zipkin: {}'),
    'ghostspan.yaml:6:11: tracer_provider.processors.0.batch.exporter.zipkin: is not a setting; allowed: otlp_grpc, otlp_http, console',
  ],
  [
    'a batch without an exporter',
    `${head}tracer_provider:\n  processors:\n    - batch: {}`,
    'ghostspan.yaml:4:7: tracer_provider.processors.0.batch.exporter: is missing; it takes: otlp_grpc, otlp_http, console',
  ],
  [
    'an unknown processor',
    `${head}tracer_provider:
  processors:
    - batch: { exporter: { console: } }
      simple: {}`,
    'ghostspan.yaml:5:7: tracer_provider.processors.0.simple: is not a setting; allowed: batch',
  ],
  [
    'an endpoint of gRPC',
    exporter('          otlp_grpc: { endpoint: localhost }'),
    "ghostspan.yaml:6:24: tracer_provider.processors.0.batch.exporter.otlp_grpc.endpoint: must be a URL such as http://localhost:4317, or host:port; not 'localhost'",
  ],
  [
    'an endpoint of HTTP',
    exporter('          otlp_http: { endpoint: localhost:4318 }'),
    "ghostspan.yaml:6:24: tracer_provider.processors.0.batch.exporter.otlp_http.endpoint: must be a URL that begins with http:// or https://; not 'localhost:4318'",
  ],
  [
    'a compression',
    exporter('          otlp_http: { compression: zstd }'),
    "ghostspan.yaml:6:24: tracer_provider.processors.0.batch.exporter.otlp_http.compression: must be one of: none, gzip; not 'zstd'",
  ],
  [
    'an encoding',
    exporter('          otlp_http: { encoding: xml }'),
    "ghostspan.yaml:6:24: tracer_provider.processors.0.batch.exporter.otlp_http.encoding: must be one of: protobuf, json; not 'xml'",
  ],
  [
    'a client key alone',
    exporter('          otlp_grpc: { tls: { key_file: /k.pem } }'),
    'ghostspan.yaml:6:24: tracer_provider.processors.0.batch.exporter.otlp_grpc.tls: key_file and cert_file must be given together',
  ],
  [
    'a batch above the queue',
    `${head}tracer_provider:\n  processors:\n    - batch: { max_queue_size: 10, max_export_batch_size: 11, exporter: { console: } }`,
    'ghostspan.yaml:4:36: tracer_provider.processors.0.batch.max_export_batch_size: must not be above max_queue_size; not 11',
  ],
  [
    'a limit of attributes',
    `${head}attribute_limits: { attribute_count_limit: 0 }`,
    'ghostspan.yaml:2:21: attribute_limits.attribute_count_limit: must be a whole number from 1 to 1000; not 0',
  ],
  [
    'a list of attributes',
    `${head}resource: { attributes_list: "a" }`,
    "ghostspan.yaml:2:13: resource.attributes_list: must be a list such as key1=value1,key2=value2 (values percent-encoded); not 'a'",
  ],
  [
    'a document that is a list',
    '- 1',
    'ghostspan.yaml: must be a document with names and values that begins with file_format: "1.1"',
  ],
  [
    'an empty document',
    '',
    'ghostspan.yaml: must be a document with names and values that begins with file_format: "1.1"',
  ],
]
for (const [what, file, message] of wrong) {
  test(`wrong settings name their place and what is allowed: ${what}`, t => {
    assert.deepEqual(issuesOf({ file: settingsFile(t, file) }).map(issueText), [message])
  })
}

test('everything that is wrong is listed at once', t => {
  const file = settingsFile(t, own('    capture: { ring_buffer: 16 }\n    traces: { quiet: never }\n    extra: 1'))
  assert.deepEqual(
    issuesOf({ file }).map(issue => issue.place),
    ['ghostspan.yaml:4:16', 'ghostspan.yaml:5:15', 'ghostspan.yaml:6:5'],
  )
})

test('what may be a secret is not repeated in a message', t => {
  const file = settingsFile(t, own('    archive: { clickhouse: { url: "ftp://me:s3cret@h", password: 31337 } }'))
  const text = issuesOf({ file }).map(issueText).join('\n')
  assert.match(text, /clickhouse\.password: must be a text/)
  assert.doesNotMatch(text, /31337|s3cret/)
})

test('a newer minor version is read with a warning', t => {
  const file = settingsFile(t, 'file_format: "1.7"\ndistribution: { ghostspan: { version: "1.3" } }')
  const { warnings } = load({ file })
  assert.equal(warnings.length, 2)
  assert.match(warnings[0]!, /ghostspan\.yaml:1:1: file_format is "1\.7", newer than "1\.1"/)
  assert.match(warnings[1]!, /distribution\.ghostspan\.version is "1\.3"/)
})

test('a setting that is null has its default, and a bare exporter is chosen as it is', t => {
  const file = settingsFile(t, `${exporter('          otlp_grpc:')}\ndisabled:\nattribute_limits:\n`)
  const { settings } = load({ file })
  assert.equal(settings.attributeLimits.count, 128)
  assert.deepEqual(
    settings.export.exporters.map(one => one.kind === 'otlp' && one.endpoint),
    ['http://localhost:4317'],
  )
})

test('the JSON Schema refuses unknown names and knows the allowed values', () => {
  const schema = settingsJsonSchema() as { additionalProperties: unknown; required: unknown; $schema: string }
  assert.equal(schema.additionalProperties, false)
  assert.deepEqual(schema.required, ['file_format'])
  assert.match(JSON.stringify(schema), /"enum":\["include","exclude"\]/)
})
