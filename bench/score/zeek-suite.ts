import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { redactPath } from '../../src/protocols/path-segments.js'
import { MYSQL, POSTGRESQL } from '../../src/protocols/sql/dialect.js'
import { createStatementReader } from '../../src/protocols/sql/statement-reader.js'
import { type ReadExchange, readCapture } from './capture-exchanges.js'
import { listeningPorts, tsharkFields } from './tshark.js'
import { type ScoredCase, type Suite, scoreCase } from './verdict.js'

/** What both sides of a comparison are made of: requests and answers as short texts, in any order. */
export interface ZeekAdapter {
  readonly protocol: string
  /** Who made the captures: the first part of the suite's name and of its folder. Default zeek. */
  readonly author?: string
  readonly folder: string
  theirs(path: string): Promise<string[]>
  ours(read: readonly ReadExchange[]): string[]
}

/**
 * Captures of others' tests that have no answers beside them: compared with what tshark finds when it is told the
 * protocol. `explained`: the exact differences that are known, and why tshark or we are right.
 */
export function zeekSuite(adapter: ZeekAdapter, explained: Readonly<Record<string, ExplainedDifference>>): Suite {
  return {
    name: `${adapter.author ?? 'zeek'}-${adapter.folder}`,
    protocol: adapter.protocol,
    folder: join(adapter.author ?? 'zeek', adapter.folder),
    rule:
      'A case is one capture. Requests and answers are compared with those that tshark finds when it is told the ' +
      'protocol; a difference counts as passed if it is exactly one that is explained.',
    needs: ['tshark'],
    score: async folder => {
      const scored: ScoredCase[] = []
      for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
        if (!/\.pcap(ng)?$/.test(file)) continue
        const path = join(folder, file)
        const name = file.replace(/\.pcap(ng)?$/, '')
        const each = await scoreCase(name, {}, () => compare(adapter, path, explained[name]))
        const why = explained[name]?.why
        scored.push(each.verdict === 'passed' && why !== undefined ? { ...each, why } : each)
      }
      return scored
    },
  }
}

export interface ExplainedDifference {
  /** Numbers of requests and answers that only tshark finds, and only we. */
  readonly onlyTheirs: number
  readonly onlyOurs: number
  readonly why: string
}

async function compare(
  adapter: ZeekAdapter,
  path: string,
  explained: ExplainedDifference | undefined,
): Promise<string | undefined> {
  const ours = adapter.ours(readCapture(path))
  const theirs = await adapter.theirs(path)
  const onlyTheirs = without(theirs, ours)
  const onlyOurs = without(ours, theirs)
  if (onlyTheirs.length === (explained?.onlyTheirs ?? 0) && onlyOurs.length === (explained?.onlyOurs ?? 0)) return
  const some = (list: readonly string[]): string => (list.length === 0 ? 'nothing' : list.slice(0, 3).join('; '))
  return `only tshark (${onlyTheirs.length}): ${some(onlyTheirs)}. Only ours (${onlyOurs.length}): ${some(onlyOurs)}`
}

/** What is in `list` more often than in `other`. */
function without(list: readonly string[], other: readonly string[]): string[] {
  const left = new Map<string, number>()
  for (const each of other) left.set(each, (left.get(each) ?? 0) + 1)
  return list.filter(each => {
    const count = left.get(each) ?? 0
    left.set(each, count - 1)
    return count <= 0
  })
}

const pathOf = (uri: string): string =>
  redactPath(uri.replace(/^[a-z]+:\/\/[^/?#]*/i, '').split(/[?#]/)[0]!).slice(0, 200)

export const zeekHttp = (folder: string): ZeekAdapter => ({
  protocol: 'http',
  folder,
  theirs: async path => {
    const fields = ['http.request.method', 'http.request.uri', 'http.response.code']
    const rows = await tsharkFields(path, ['tcp.port==1-65535,http'], 'http.request or http.response', fields)
    return rows.flatMap(([methods = [], uris = [], codes = []]) => [
      ...methods.map((method, i) => `${method} ${method === 'CONNECT' ? '' : pathOf(uris[i] ?? '')}`),
      ...codes.filter(code => Number(code) >= 200 || code === '101'),
    ])
  },
  ours: read =>
    read
      .filter(({ exchange }) => exchange.protocol === 'http')
      .flatMap(({ exchange }) => {
        const { attributes } = exchange
        const method = attributes['http.request.method_original'] ?? attributes['http.request.method']
        const status = attributes['http.response.status_code']
        const request = `${method} ${String(attributes['url.path'] ?? '').slice(0, 200)}`
        return status === undefined ? [request] : [request, String(status)]
      }),
})

const statements = createStatementReader()
const COMMANDS: Readonly<Record<string, string>> = {
  '1': 'QUIT',
  '2': 'USE',
  '3': 'QUERY',
  '4': 'FIELD LIST',
  '9': 'STATISTICS',
  '14': 'PING',
  '17': 'CHANGE USER',
  '22': 'PREPARE',
  '23': 'EXECUTE',
  '25': 'CLOSE STATEMENT',
  '26': 'RESET STATEMENT',
  '31': 'RESET CONNECTION',
}

export const zeekMysql: ZeekAdapter = {
  protocol: 'mysql',
  folder: 'mysql',
  theirs: async path => {
    const ports = await listeningPorts(path, 3306)
    const rules = ports.map(port => `tcp.port==${port},mysql`)
    const rows = await tsharkFields(path, rules, 'mysql.command', ['mysql.command', 'mysql.query'])
    return rows.flatMap(([commands = [], queries = []]) => {
      let query = 0
      return commands.map(command => {
        const name = COMMANDS[command] ?? `command ${command}`
        if (name !== 'QUERY' && name !== 'PREPARE') return name
        const sql = new Uint8Array(Buffer.from(queries[query++] ?? ''))
        return `${name} ${statements.read(sql, 0, sql.length, false, MYSQL).text}`
      })
    })
  },
  ours: read =>
    read.flatMap(({ exchange }) => {
      if (exchange.protocol !== 'mysql') return []
      const { kind, statement } = exchange as unknown as { kind: { name: string }; statement?: { text: string } }
      if (kind.name === 'LOGIN') return []
      const withSql = kind.name === 'QUERY' || kind.name === 'PREPARE'
      return [withSql ? `${kind.name} ${statement?.text ?? ''}` : kind.name]
    }),
}

export const zeekRedis: ZeekAdapter = {
  protocol: 'redis',
  folder: 'redis',
  theirs: async path => {
    const ports = await listeningPorts(path, 6379)
    const rules = ports.map(port => `tcp.port==${port},resp`)
    const filter = `resp.array.length and (${ports.map(port => `tcp.dstport == ${port}`).join(' or ')})`
    const rows = await tsharkFields(path, rules, filter, ['resp.array.length', 'resp.bulk_string.value'])
    return rows.flatMap(([lengths = [], values = []]) => {
      let at = 0
      return lengths.map(length => {
        const name = Buffer.from(values[at] ?? '', 'hex')
          .toString('latin1')
          .toUpperCase()
        at += Number(length)
        return name
      })
    })
  },
  ours: read =>
    read.filter(({ exchange }) => exchange.protocol === 'redis').map(({ exchange }) => exchange.name.split(' ')[0]!),
}

/** What tshark calls the messages that ask, as far as they are compared. */
const POSTGRESQL_REQUESTS = new Set(['Simple query', 'Execute'])

export const postgresqlOf = (author: string, folder: string): ZeekAdapter => ({
  protocol: 'postgresql',
  author,
  folder,
  theirs: async path => {
    const ports = await listeningPorts(path, 5432)
    const rules = ports.map(port => `tcp.port==${port},pgsql`)
    const rows = await tsharkFields(path, rules, 'pgsql', ['pgsql.type', 'pgsql.query'])
    return rows.flatMap(([types = [], queries = []]) => {
      let query = 0
      return types.flatMap(type => {
        // A Parse has a query, too.
        const sql = type === 'Simple query' || type === 'Parse' ? (queries[query++] ?? '') : ''
        if (type === 'Error') return ['error']
        if (!POSTGRESQL_REQUESTS.has(type)) return []
        const bytes = new Uint8Array(Buffer.from(sql))
        return [
          type === 'Execute' ? 'EXECUTE' : `QUERY ${statements.read(bytes, 0, bytes.length, false, POSTGRESQL).text}`,
        ]
      })
    })
  },
  ours: read =>
    read.flatMap(({ exchange }) => {
      if (exchange.protocol !== 'postgresql') return []
      const { kind, clientError } = exchange as unknown as { kind: string; clientError: string | undefined }
      const failed = clientError === undefined ? [] : ['error']
      if (kind === 'QUERY') return [`QUERY ${exchange.attributes['db.query.text'] ?? ''}`, ...failed]
      return kind === 'EXECUTE' || kind === 'FETCH' ? ['EXECUTE', ...failed] : failed
    }),
})
