import { redactPath } from '../../src/protocols/path-segments.js'
import { MYSQL, POSTGRESQL } from '../../src/protocols/sql/dialect.js'
import { createStatementReader } from '../../src/protocols/sql/statement-reader.js'
import type { ReadExchange } from './capture-exchanges.js'
import { tsharkFields } from './tshark.js'

/** One packet of tshark's: for each field the values that it has there. */
export type TsharkRow = readonly (readonly string[])[]

/** The requests and answers of one protocol as tshark tells them and as we do: short texts, in any order. */
export interface TsharkView {
  /** Where connections go to whose beginning is not in the capture. */
  readonly usualPort: number
  /** Rules for `-d` that tell tshark the protocol: 'tcp.port==8080,http'. */
  decodeAs(ports: readonly string[]): readonly string[]
  /** Display filter of the packets that are told. */
  filter(ports: readonly string[]): string
  readonly fields: readonly string[]
  theirs(rows: readonly TsharkRow[]): string[]
  ours(read: readonly ReadExchange[]): string[]
}

/** What tshark tells of a capture in which servers listen at these ports. */
export async function toldByTshark(path: string, view: TsharkView, ports: readonly string[]): Promise<string[]> {
  return view.theirs(await tsharkFields(path, view.decodeAs(ports), view.filter(ports), view.fields))
}

const asTcp =
  (protocol: string) =>
  (ports: readonly string[]): string[] =>
    ports.map(port => `tcp.port==${port},${protocol}`)

const pathOf = (uri: string): string =>
  redactPath(uri.replace(/^[a-z]+:\/\/[^/?#]*/i, '').split(/[?#]/)[0]!).slice(0, 200)

export const httpView: TsharkView = {
  usualPort: 80,
  decodeAs: () => ['tcp.port==1-65535,http'],
  filter: () => 'http.request or http.response',
  fields: ['http.request.method', 'http.request.uri', 'http.response.code'],
  theirs: rows =>
    rows.flatMap(([methods = [], uris = [], codes = []]) => [
      ...methods.map((method, i) => `${method} ${method === 'CONNECT' ? '' : pathOf(uris[i] ?? '')}`),
      ...codes.filter(code => Number(code) >= 200 || code === '101'),
    ]),
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
}

const statements = createStatementReader()

/** A statement as it is told: its literals are placeholders. */
export function withoutValues(sql: string, dialect: typeof MYSQL): string {
  const bytes = new Uint8Array(Buffer.from(sql))
  return statements.read(bytes, 0, bytes.length, false, dialect).text
}

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

export const mysqlView: TsharkView = {
  usualPort: 3306,
  decodeAs: asTcp('mysql'),
  filter: () => 'mysql.command',
  fields: ['mysql.command', 'mysql.query'],
  theirs: rows =>
    rows.flatMap(([commands = [], queries = []]) => {
      let query = 0
      return commands.map(command => {
        const name = COMMANDS[command] ?? `command ${command}`
        if (name !== 'QUERY' && name !== 'PREPARE') return name
        return `${name} ${withoutValues(queries[query++] ?? '', MYSQL)}`
      })
    }),
  ours: read =>
    read.flatMap(({ exchange }) => {
      if (exchange.protocol !== 'mysql') return []
      const { kind, statement } = exchange as unknown as { kind: { name: string }; statement?: { text: string } }
      if (kind.name === 'LOGIN') return []
      const withSql = kind.name === 'QUERY' || kind.name === 'PREPARE'
      return [withSql ? `${kind.name} ${statement?.text ?? ''}` : kind.name]
    }),
}

export const redisView: TsharkView = {
  usualPort: 6379,
  decodeAs: asTcp('resp'),
  filter: ports => `resp.array.length and (${ports.map(port => `tcp.dstport == ${port}`).join(' or ')})`,
  fields: ['resp.array.length', 'resp.bulk_string.value'],
  theirs: rows =>
    rows.flatMap(([lengths = [], values = []]) => {
      let at = 0
      return lengths.map(length => {
        const name = Buffer.from(values[at] ?? '', 'hex')
          .toString('latin1')
          .toUpperCase()
        at += Number(length)
        return name
      })
    }),
  ours: read =>
    read.filter(({ exchange }) => exchange.protocol === 'redis').map(({ exchange }) => exchange.name.split(' ')[0]!),
}

/** What tshark calls the messages that ask, as far as they are compared. */
const POSTGRESQL_REQUESTS = new Set(['Simple query', 'Execute'])

export const postgresqlView: TsharkView = {
  usualPort: 5432,
  decodeAs: asTcp('pgsql'),
  filter: () => 'pgsql',
  fields: ['pgsql.type', 'pgsql.query'],
  theirs: rows =>
    rows.flatMap(([types = [], queries = []]) => {
      let query = 0
      return types.flatMap(type => {
        // A Parse has a query, too.
        const sql = type === 'Simple query' || type === 'Parse' ? (queries[query++] ?? '') : ''
        if (type === 'Error') return ['error']
        if (!POSTGRESQL_REQUESTS.has(type)) return []
        return [type === 'Execute' ? 'EXECUTE' : `QUERY ${withoutValues(sql, POSTGRESQL)}`]
      })
    }),
  ours: read =>
    read.flatMap(({ exchange }) => {
      if (exchange.protocol !== 'postgresql') return []
      const { kind, clientError } = exchange as unknown as { kind: string; clientError: string | undefined }
      const failed = clientError === undefined ? [] : ['error']
      if (kind === 'QUERY') return [`QUERY ${exchange.attributes['db.query.text'] ?? ''}`, ...failed]
      return kind === 'EXECUTE' || kind === 'FETCH' ? ['EXECUTE', ...failed] : failed
    }),
}
