import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { loadSettings } from '../../src/config/load-settings.js'
import { readDashboard, statements } from './dashboard.js'
import { repositoryRoot } from './repository-root.js'

const root = repositoryRoot()
const composeFiles = ['compose.yaml', 'jaeger.yaml', 'tempo.yaml']
const yaml = (path: string): Record<string, unknown> => parse(readFileSync(join(root, path), 'utf8'))

interface Service {
  readonly image: string
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly depends_on?: readonly string[] | Readonly<Record<string, unknown>>
  readonly environment?: Readonly<Record<string, string>>
}

const composition = (name: string): { services: Record<string, Service>; volumes?: Record<string, unknown> } =>
  yaml(`compose/${name}`) as never

test('the example of settings is valid and means what it says', () => {
  const file = join(root, 'otel-config', 'ghostspan.yaml')
  const { settings, warnings } = loadSettings({ file, environment: {}, user: 0, home: '/root' })
  assert.deepEqual(warnings, [])
  const [exporter] = settings.export.exporters
  assert.equal(exporter?.kind === 'otlp' && exporter.endpoint, 'http://localhost:4317')
  assert.equal(settings.serviceRules[0]?.name, 'shop-web')
  assert.equal(settings.resourceAttributes['deployment.environment.name'], 'lab')
  assert.equal(settings.selection.rules[0]?.executable, '/usr/sbin/sshd')
})

test('every pipeline of collector and Jaeger uses parts that are configured', () => {
  for (const name of ['collector.yaml', 'jaeger.yaml']) {
    const config = yaml(`otel-config/${name}`) as Record<string, Record<string, never>>
    const { extensions, pipelines } = config['service'] as never as {
      extensions: string[]
      pipelines: Record<string, Record<string, string[]>>
    }
    for (const extension of extensions) assert.ok(extension in config['extensions']!, `${name}: ${extension}`)
    for (const parts of Object.values(pipelines)) {
      for (const [kind, used] of Object.entries(parts)) {
        for (const part of used) assert.ok(part in config[kind]!, `${name}: ${kind} ${part}`)
      }
    }
  }
})

test('Tempo: only settings that its manifest of 2.9 has', () => {
  const config = yaml('otel-config/tempo.yaml') as Record<string, Record<string, unknown>>
  const known: Record<string, string[]> = {
    server: ['http_listen_address', 'http_listen_port'],
    distributor: ['receivers'],
    ingester: ['trace_idle_period', 'max_block_duration'],
    compactor: ['compaction'],
    storage: ['trace'],
    usage_report: ['reporting_enabled'],
  }
  for (const [section, settings] of Object.entries(config)) {
    assert.deepEqual(
      Object.keys(settings).filter(key => !known[section]?.includes(key)),
      [],
      section,
    )
  }
})

for (const name of composeFiles) {
  test(`compose/${name}: versions pinned, ports on loopback, mounted files there, volumes declared`, () => {
    const { services, volumes = {} } = composition(name)
    for (const [service, { image, ports = [], volumes: mounts = [], depends_on = [] }] of Object.entries(services)) {
      assert.match(image, /^[\w./-]+:\d+\.\d+\.\d+(\.\d+)?$/, `${service}: ${image}`)
      for (const port of ports) assert.match(port, /^127\.0\.0\.1:\d+:\d+$/, service)
      for (const mount of mounts) {
        const [source = ''] = mount.split(':')
        if (source.startsWith('.')) assert.ok(existsSync(resolve(root, 'compose', source)), `${service}: ${source}`)
        else assert.ok(source in volumes, `${service}: volume ${source}`)
      }
      const needed = Array.isArray(depends_on) ? depends_on : Object.keys(depends_on)
      for (const other of needed) assert.ok(other in services, `${service} depends on ${other}`)
    }
  })

  test(`compose/${name}: what it sets for a configuration file is a variable of that file`, () => {
    for (const [service, { environment = {}, volumes = [] }] of Object.entries(composition(name).services)) {
      const files = volumes
        .map(mount => mount.split(':')[0]!)
        .filter(source => /otel-config\/[\w/-]+\.yaml$/.test(source))
        .map(source => readFileSync(resolve(root, 'compose', source), 'utf8'))
      if (files.length === 0) continue
      for (const variable of Object.keys(environment)) {
        // Those of the programs themselves: Grafana's own.
        if (variable.startsWith('GF_')) continue
        assert.ok(
          files.some(text => new RegExp(`\\$\\{(env:)?${variable}\\b`).test(text)),
          `${service}: ${variable}`,
        )
      }
    }
  })
}

test('the dashboard asks data sources and uses variables that exist, and its panels do not overlap', () => {
  const sources = yaml('otel-config/grafana/datasources.yaml') as { datasources: { uid: string; type: string }[] }
  const types = new Map(sources.datasources.map(({ uid, type }) => [uid, type]))
  for (const file of readdirSync(join(root, 'otel-config', 'grafana', 'dashboards'))) {
    const dashboard = readDashboard(join(root, 'otel-config', 'grafana', 'dashboards', file))
    const cells = new Set<string>()
    for (const { title, datasource, gridPos } of dashboard.panels) {
      assert.equal(types.get(datasource.uid), datasource.type, title)
      assert.ok(gridPos.x + gridPos.w <= 24, title)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          assert.equal(cells.has(`${x},${y}`), false, `${title} lies over another panel`)
          cells.add(`${x},${y}`)
        }
      }
    }
    assert.equal(new Set(dashboard.panels.map(panel => panel.id)).size, dashboard.panels.length)
    const variables = new Set(dashboard.templating.list.map(({ name }) => name))
    for (const [where, sql] of statements(dashboard)) {
      for (const [, used] of sql.matchAll(/\$\{(\w+)/g)) assert.ok(variables.has(used!), `${where}: ${used}`)
    }
  }
})
