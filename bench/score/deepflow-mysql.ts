import { MYSQL } from '../../src/protocols/sql/dialect.js'
import { createStatementReader } from '../../src/protocols/sql/statement-reader.js'
import type { ReadExchange } from './capture-exchanges.js'
import type { DeepflowAdapter, Told } from './deepflow-suite.js'

interface MysqlLine {
  readonly msg_type: string
  readonly request_type: number
  readonly request_resource?: string
  readonly response_status: string
}

const statements = createStatementReader()
/** A statement as we tell it: without its values. */
function withoutValues(sql: string): string {
  const bytes = new Uint8Array(Buffer.from(sql))
  return statements.read(bytes, 0, bytes.length, false, MYSQL).text
}

const COMMANDS: Readonly<Record<number, string>> = {
  0: 'LOGIN',
  1: 'QUIT',
  2: 'USE',
  3: 'QUERY',
  4: 'FIELD LIST',
  22: 'PREPARE',
  23: 'EXECUTE',
  25: 'CLOSE STATEMENT',
}

/** Our exchanges know which command they are: it is no attribute, but part of the object that the module makes. */
interface MysqlExchange {
  readonly kind: { readonly name: string }
  readonly statement: { readonly text: string } | undefined
  readonly uses: string | undefined
}

export const deepflowMysql: DeepflowAdapter = {
  protocol: 'mysql',
  rule:
    'A case is one capture. Commands are compared by kind and by their SQL without its values, answers, where one ' +
    'stands behind its command, by success or error. Packets that DeepFlow could not place (Other) are left out.',
  answersFollow: true,
  theirs: lines => {
    const told: Told[] = []
    let waits = false
    for (const line of lines) {
      const each = JSON.parse(line.slice(0, line.lastIndexOf('}') + 1)) as MysqlLine
      if (each.msg_type === 'Response' && waits) {
        told.push({ ...told.pop()!, answer: each.response_status === 'ok' ? 'ok' : 'error' })
      }
      waits = each.msg_type === 'Request'
      if (each.msg_type !== 'Request' && each.msg_type !== 'Session') continue
      told.push({ request: requestOf(each), answer: undefined })
    }
    return told
  },
  ours: read => read.map(tell),
}

function requestOf({ request_type: type, request_resource: resource = '' }: MysqlLine): string {
  const command = COMMANDS[type] ?? `command ${type}`
  if (type === 3 || type === 22) return `${command} ${withoutValues(resource)}`
  return type === 2 ? `${command} ${resource}` : command
}

function tell({ exchange, answered }: ReadExchange): Told {
  const { kind, statement, uses } = exchange as unknown as MysqlExchange
  const withSql = kind.name === 'QUERY' || kind.name === 'PREPARE'
  const what = withSql ? ` ${statement?.text ?? ''}` : kind.name === 'USE' ? ` ${uses}` : ''
  const answer = answered ? (exchange.clientError === undefined ? 'ok' : 'error') : undefined
  return { request: `${kind.name}${what}`, answer }
}
