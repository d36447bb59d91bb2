import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { MYSQL, POSTGRESQL } from '../../../src/protocols/sql/dialect.js'
import { startMariadb } from '../../../test/support/mariadb-server.js'
import { postgresqlProgram, postgresqlServer, startPostgresql } from '../../../test/support/postgresql-server.js'
import { program, pythonModule } from '../../../test/support/requirements.js'
import { mysqlView, postgresqlView, withoutValues } from '../../score/tshark-views.js'
import type { Conversation } from '../conversation.js'
import { outcomeOf, readOf } from './exchange-text.js'
import { runPythonClient } from './python-client.js'

/** `statement without its values: outcome` of the clients' lines, `[statement, outcome]` each. */
const seenOf = (lines: readonly string[], dialect: typeof MYSQL): string[] =>
  lines.map(line => {
    const [sql, outcome] = JSON.parse(line) as [string, string]
    return `${withoutValues(sql, dialect)}: ${outcome}`
  })

/** MariaDB and PyMySQL. */
export const mysql: Conversation = {
  name: 'mysql',
  goal: 10,
  allocationGoal: 1_000,
  needs: [program('mariadbd'), pythonModule('pymysql')],
  start: async folder => {
    const { port, stop } = await startMariadb()
    const talk = async (requests: number) => seenOf(await runPythonClient('mysql', port, requests, folder), MYSQL)
    return { port, talk, stop }
  },
  tshark: mysqlView,
  seen: read => readOf(read, 'mysql').map(each => `${each.exchange.attributes['db.query.text']}: ${outcomeOf(each)}`),
}

/** PostgreSQL and psycopg2, which sends each query as one message. */
export const postgresql: Conversation = {
  name: 'postgresql',
  goal: 5,
  needs: [postgresqlServer, pythonModule('psycopg2')],
  start: async folder => {
    const { port, stop } = await startPostgresql()
    const talk = async (requests: number) =>
      seenOf(await runPythonClient('postgresql', port, requests, folder), POSTGRESQL)
    return { port, talk, stop }
  },
  tshark: postgresqlView,
  seen: read =>
    readOf(read, 'postgresql').map(each => `${each.exchange.attributes['db.query.text']}: ${outcomeOf(each)}`),
}

const run = promisify(execFile)
const CLIENTS = 4

/** PostgreSQL and pgbench, which prepares its statements and sends parse, bind and execute apart. */
export const postgresqlPrepared: Conversation = {
  name: 'postgresql-prepared',
  goal: 5,
  isMeasured: false,
  needs: [postgresqlServer],
  start: async () => {
    const { port, stop } = await startPostgresql()
    const pgbench = (args: readonly string[]) =>
      run(postgresqlProgram('pgbench'), ['-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', ...args, 'postgres'])
    await pgbench(['-i', '-q'])
    return {
      port,
      talk: async requests => {
        const each = Math.ceil(requests / CLIENTS)
        const how = ['-S', '-n', '-M', 'prepared', '-c', String(CLIENTS), '-t', String(each)]
        const { stdout } = await pgbench(how)
        const [, done = '0'] = /transactions actually processed: (\d+)/.exec(stdout) ?? []
        return Array.from({ length: Number(done) }, () => 'SELECT pgbench_accounts ok')
      },
      stop,
    }
  },
  tshark: postgresqlView,
  seen: read =>
    readOf(read, 'postgresql')
      .filter(({ exchange }) => (exchange as unknown as { kind: string }).kind === 'EXECUTE')
      .map(each => `${each.exchange.name} ${outcomeOf(each)}`),
}
