import { readFile } from 'node:fs/promises'
import { OsprofilerError } from './osprofiler-error.js'
import { readFromRedis } from './osprofiler-redis.js'
import { readFromSql } from './osprofiler-sql.js'
import { type OsprofilerTrace, traceOfPoints } from './osprofiler-trace.js'

const BASE_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * A trace from a file, or by its id from where the services wrote it.
 * @param source path of a file, or the trace's id
 * @param connection `[profiler] connection_string` of the services: redis://…, mysql+pymysql://…, postgresql://…, sqlite://…
 */
export async function loadOsprofilerTrace(source: string, connection: string | undefined): Promise<OsprofilerTrace> {
  const points = BASE_ID.test(source) ? await readStored(source.toLowerCase(), connection) : await readPoints(source)
  const trace = traceOfPoints(points)
  if (trace !== undefined) return trace
  throw new OsprofilerError(
    BASE_ID.test(source)
      ? `there is no trace ${source} at ${withoutPassword(connection ?? '')}: OSProfiler's stores forget, and \`openstack --os-profile\` needs the services' hmac key`
      : `${source} holds no point of OSProfiler; it should be the output of \`osprofiler trace show --json\``,
  )
}

const withoutPassword = (url: string): string => url.replace(/\/\/[^@/]*@/, '//')

function readStored(id: string, connection: string | undefined): Promise<unknown[]> {
  if (connection === undefined) {
    throw new OsprofilerError(
      'a trace by its id needs --osprofiler with the connection_string of the services, such as redis://127.0.0.1:6379',
    )
  }
  return /^rediss?:/.test(connection) ? readFromRedis(connection, id) : readFromSql(connection, id)
}

async function readPoints(path: string): Promise<unknown[]> {
  let content: string
  try {
    content = await readFile(path, 'utf8')
  } catch (error) {
    throw new OsprofilerError(`${path} cannot be read: ${(error as Error).message}`, { cause: error })
  }
  return pointsOfText(content)
}

/** The tree of `osprofiler trace show --json`, or points as the stores have them, one on a line or in a list. */
export function pointsOfText(content: string): unknown[] {
  const whole = parse(content)
  if (Array.isArray(whole)) return whole
  if (whole !== undefined) return readPointTree(whole)
  return content.split('\n').map(parse)
}

function parse(content: string): unknown {
  try {
    return JSON.parse(content)
  } catch {
    return undefined
  }
}

/** Every span of the tree has its raw points under `meta.raw_payload.*`. */
function readPointTree(root: unknown): unknown[] {
  const points: unknown[] = []
  const stack = [root]
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (typeof node !== 'object' || node === null) continue
    const { info, children } = node as { info?: Record<string, unknown>; children?: unknown }
    for (const [key, value] of Object.entries(info ?? {})) if (key.startsWith('meta.raw_payload.')) points.push(value)
    if (Array.isArray(children)) stack.push(...children)
    if ('trace_id' in node && 'timestamp' in node) points.push(node)
  }
  return points
}
