import { allowedText, isGroup, type SettingInfo, settingTree } from './setting-tree.js'

const INTRODUCTION = `# Configuration

<!-- Written from the schema by scripts/reference-pages.mjs; edit src/config/ instead. -->

Ghostspan runs without any settings. What it takes has the shape of OpenTelemetry's declarative configuration 1.1, with
our own part under \`distribution.ghostspan\`.

1. A flag wins over the environment.
2. The environment wins over the file.
3. The file wins over the default.
4. With a file, \`OTEL_*\` variables count only where the file names them; \`GHOSTSPAN_*\` variables always do.

The file is named by \`--config FILE\` or \`OTEL_CONFIG_FILE\`. \`ghostspan config default\` prints one with every setting,
\`ghostspan config validate FILE\` checks one, \`ghostspan config schema\` prints the JSON Schema for an editor.

In the file, \`\${NAME}\`, \`\${env:NAME}\` and \`\${NAME:-default}\` are replaced by environment variables, in values only;
\`$$\` stands for a \`$\`. A plain value gets its type after that, a quoted one stays a text, and no variable can add a
structure. A name that is no setting is an error. Durations and sizes have units: \`500ms\`, \`2s\`, \`5m\`, \`1h\`, \`7d\`;
\`512KiB\`, \`16MiB\` (1,024s), \`10GB\` (1,000s). The standard's own settings keep its units: whole milliseconds.

An error names the place, the setting, and what is allowed:

\`\`\`
ghostspan.yaml:9:9: distribution.ghostspan.archive.retention.age: must be a duration: a number with ms, s, m, h or d, such as 500ms, 2s or 7d, at least 1h; not '7 days'
\`\`\`

## Example

\`\`\`yaml
file_format: "1.1"
tracer_provider:
  processors:
    - batch:
        exporter:
          otlp_grpc:
            endpoint: \${OTLP_ENDPOINT:-http://localhost:4317}
distribution:
  ghostspan:
    selection:
      default: exclude
      rules:
        - { action: include, port: 80 }
        - { action: include, executable: /opt/shop/** , user: shop }
    services:
      rules:
        - { name: shop, port: 8000 }
    archive:
      retention: { age: 14d, size: 50GB }
\`\`\`

## Variables of OpenTelemetry

Used when there is no file; empty ones count as unset.

| variable | meaning |
| --- | --- |
| \`OTEL_CONFIG_FILE\` | the settings file; \`--config\` wins |
| \`OTEL_TRACES_EXPORTER\` | \`otlp\`, \`console\`, \`none\`, or a list of them |
| \`OTEL_EXPORTER_OTLP_ENDPOINT\` | where spans go; over HTTP \`/v1/traces\` is appended |
| \`OTEL_EXPORTER_OTLP_PROTOCOL\` | \`grpc\`, \`http/protobuf\`, \`http/json\`; without it HTTP where the endpoint has port 4318 or a path, else gRPC |
| \`OTEL_EXPORTER_OTLP_HEADERS\` | \`name1=value1,name2=value2\`, values percent-encoded |
| \`OTEL_EXPORTER_OTLP_COMPRESSION\` | \`gzip\`, \`none\` |
| \`OTEL_EXPORTER_OTLP_TIMEOUT\` | ms |
| \`OTEL_EXPORTER_OTLP_CERTIFICATE\`, \`_CLIENT_KEY\`, \`_CLIENT_CERTIFICATE\` | PEM files |
| \`OTEL_EXPORTER_OTLP_TRACES_…\` | each of the above for traces alone; it wins, and its endpoint is used as it is |
| \`OTEL_BSP_SCHEDULE_DELAY\`, \`_EXPORT_TIMEOUT\`, \`_MAX_QUEUE_SIZE\`, \`_MAX_EXPORT_BATCH_SIZE\` | see \`batch\` below |
| \`OTEL_RESOURCE_ATTRIBUTES\` | added to the resource of every observed service |
| \`OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT\`, \`OTEL_ATTRIBUTE_COUNT_LIMIT\`, \`OTEL_SPAN_ATTRIBUTE_…\` | see \`attribute_limits\` below |
| \`OTEL_LOG_LEVEL\` | \`debug\`, \`info\`, \`warn\`, \`error\` |
| \`OTEL_SDK_DISABLED\` | \`true\`: nothing is exported |

Where no setting says where spans go, they go over gRPC to \`localhost:4317\` if something listens there when \`run\`
starts. \`OTEL_SERVICE_NAME\` is not used: the services that are observed have names of their own.
`

/** The page docs/configuration.md, written from the schema. */
export function referencePage(): string {
  const groups = settingTree().filter(
    setting => isGroup(setting.schema) && Object.keys(setting.schema.properties!).length > 0,
  )
  const top = table(settingTree().filter(setting => setting.path.length === 1 && !isGroup(setting.schema)))
  const sections = groups.flatMap(group => {
    const inner = settingTree().filter(setting => isDirectlyIn(setting, group) && !isGroup(setting.schema))
    if (inner.length === 0) return []
    return [
      `### ${dotted(group)}`,
      ...(group.schema.description === undefined ? [] : [group.schema.description]),
      table(inner),
    ]
  })
  return `${[INTRODUCTION.trimEnd(), '## Settings', top, ...sections].join('\n\n')}\n`
}

function isDirectlyIn(setting: SettingInfo, group: SettingInfo): boolean {
  return (
    setting.path.length === group.path.length + 1 && group.path.every((name, index) => setting.path[index] === name)
  )
}

function dotted({ path }: SettingInfo): string {
  return path.join('.').replaceAll('.*', '[]')
}

function table(settings: readonly SettingInfo[]): string {
  const withVariable = settings.some(setting => setting.variable !== undefined)
  const rows = settings.map(({ path, schema, required, variable }) => {
    const fallback =
      schema.default === undefined ? (required ? 'required' : '') : `\`${JSON.stringify(schema.default)}\``
    const cells = [`\`${path.at(-1)}\``, allowedText(schema), fallback.replace(/^`"(.*)"`$/, '`$1`')]
    if (withVariable) cells.push(variable === undefined ? '' : `\`${variable}\``)
    cells.push(schema.description ?? '')
    return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
  })
  const head = ['setting', 'values', 'default', ...(withVariable ? ['variable'] : []), 'meaning']
  return [`| ${head.join(' | ')} |`, `|${' --- |'.repeat(head.length)}`, ...rows].join('\n')
}
