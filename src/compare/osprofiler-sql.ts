import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { OsprofilerError } from './osprofiler-error.js'

const MOST_BYTES = 512 * 1024 * 1024
const COLUMNS = ['timestamp', 'base_id', 'parent_id', 'trace_id', 'project', 'service', 'name', 'data']

interface Client {
  readonly program: string
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
}

/**
 * Points of a trace as OSProfiler's SQLAlchemy driver keeps them, in the table `data`. Asked through the database's own
 * command-line client (mariadb or mysql, psql, sqlite3). @param id a UUID, checked by the caller
 */
export async function readFromSql(connection: string, id: string): Promise<unknown[]> {
  const client = clientOf(
    connection,
    `SELECT ${COLUMNS.map(hexOf(connection)).join(', ')} FROM data WHERE base_id = '${id}'`,
  )
  try {
    const { stdout } = await promisify(execFile)(client.program, client.args, {
      env: { ...client.environment, PATH: '/usr/local/bin:/usr/bin:/bin' },
      maxBuffer: MOST_BYTES,
    })
    return stdout.split('\n').flatMap(line => (line === '' ? [] : [pointOf(line)]))
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string }
    const why =
      code === 'ENOENT'
        ? `the program ${client.program} is needed to read this database, and is not installed`
        : (stderr ?? '').trim() || (error as Error).message
    throw new OsprofilerError(`the database of OSProfiler cannot be read: ${why}`, { cause: error })
  }
}

/** Hexadecimal, so that no line break or separator of a value stands in the way. */
const hexOf =
  (connection: string) =>
  (column: string): string => {
    if (connection.startsWith('postgresql')) return `encode(convert_to(coalesce(${column}::text, ''), 'UTF8'), 'hex')`
    return `hex(coalesce(${column}, ''))`
  }

function pointOf(line: string): unknown {
  const values = line.split(/[\t|]/).map(hex => Buffer.from(hex, 'hex').toString('utf8'))
  const point: Record<string, unknown> = {}
  for (const [i, column] of COLUMNS.entries()) point[column] = values[i] ?? ''
  // The driver writes JSON text into a JSON column, so it may be text in text.
  let data: unknown = parse(String(point['data']))
  if (typeof data === 'string') data = parse(data)
  return { ...point, ...(typeof data === 'object' && data !== null ? data : {}) }
}

function parse(content: string): unknown {
  try {
    return JSON.parse(content)
  } catch {
    return undefined
  }
}

function clientOf(connection: string, query: string): Client {
  const [scheme = '', rest = ''] = connection.split(/:\/\/(.*)/s)
  const dialect = scheme.split('+')[0]
  if (dialect === 'sqlite') {
    return { program: 'sqlite3', args: ['-readonly', rest.replace(/^\//, ''), query], environment: {} }
  }
  const url = new URL(`sql://${rest}`)
  const user = decodeURIComponent(url.username)
  const password = decodeURIComponent(url.password)
  const database = url.pathname.slice(1)
  if (dialect === 'mysql' || dialect === 'mariadb') {
    return {
      program: 'mysql',
      args: [
        '--no-defaults',
        '--batch',
        '--skip-column-names',
        '--protocol=tcp',
        `--host=${url.hostname}`,
        `--port=${url.port || '3306'}`,
        `--user=${user}`,
        `--database=${database}`,
        `--execute=${query}`,
      ],
      // Not on the command line, where everybody on the host could read it.
      environment: { MYSQL_PWD: password },
    }
  }
  if (dialect === 'postgresql' || dialect === 'postgres') {
    const place = { PGHOST: url.hostname, PGPORT: url.port || '5432', PGUSER: user, PGDATABASE: database }
    return {
      program: 'psql',
      args: ['--no-psqlrc', '--tuples-only', '--no-align', '--command', query],
      environment: { ...place, PGPASSWORD: password },
    }
  }
  throw new OsprofilerError(
    `OSProfiler's driver '${dialect}' cannot be read here; save the trace with \`osprofiler trace show --json\` and give the file`,
  )
}
