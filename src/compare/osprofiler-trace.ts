/** One span of OSProfiler: a start and a stop point with the same trace_id. Times in µs since the epoch (UTC). */
export interface OsprofilerSpan {
  /** UUID of the span, called trace_id there. */
  readonly id: string
  /** UUID of its parent; the trace's base id for those at the top. */
  readonly parentId: string
  /** What kind of point it is: wsgi, rpc, db, neutron.db, neutron_api… */
  readonly name: string
  readonly project: string
  readonly service: string
  readonly host: string
  readonly startUs: number
  /** The start if no stop was written (the process died, or the trace was read too early). */
  readonly endUs: number
  readonly finished: boolean
  /** What it did: method and path, function, or SQL with its placeholders. '' where nothing is told. */
  readonly detail: string
}

export interface OsprofilerTrace {
  /** UUID, as `openstack --os-profile` prints it. */
  readonly baseId: string
  /** Parents before children where both are there, by start. */
  readonly spans: readonly OsprofilerSpan[]
}

/** One point as the services write it (osprofiler/profiler.py, `_notify`). */
interface Point {
  readonly name: string
  readonly baseId: string
  readonly traceId: string
  readonly parentId: string
  readonly timestampUs: number
  readonly project: string
  readonly service: string
  readonly info: Readonly<Record<string, unknown>>
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** `2026-11-25T07:17:50.781579`, UTC without saying so; µs are left out when they are 0. */
export function parseTimestamp(timestamp: string): number {
  const match = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?/.exec(timestamp)
  if (match === null) return Number.NaN
  return Date.parse(`${match[1]}T${match[2]}Z`) * 1_000 + Number((match[3] ?? '').padEnd(6, '0'))
}

/** A point from anywhere; undefined if it is none. */
export function readPoint(value: unknown): Point | undefined {
  if (!isObject(value)) return undefined
  const timestampUs = parseTimestamp(text(value['timestamp']))
  const name = text(value['name'])
  if (Number.isNaN(timestampUs) || !/-(start|stop)$/.test(name) || text(value['trace_id']) === '') return undefined
  return {
    name,
    baseId: text(value['base_id']),
    traceId: text(value['trace_id']),
    parentId: text(value['parent_id']),
    timestampUs,
    project: text(value['project']),
    service: text(value['service']),
    info: isObject(value['info']) ? value['info'] : {},
  }
}

/** Spans from points in any order. Undefined if there is not one start among them. */
export function traceOfPoints(values: Iterable<unknown>): OsprofilerTrace | undefined {
  const starts = new Map<string, Point>()
  const stops = new Map<string, Point>()
  for (const value of values) {
    const point = readPoint(value)
    if (point === undefined) continue
    const into = point.name.endsWith('-start') ? starts : stops
    into.set(point.traceId, point)
  }
  const baseId = starts.values().next().value?.baseId
  if (baseId === undefined) return undefined
  const spans = [...starts.values()]
    .filter(start => start.baseId === baseId)
    .map(start => spanOf(start, stops.get(start.traceId)))
    .sort((a, b) => a.startUs - b.startUs || b.endUs - a.endUs)
  return { baseId, spans }
}

function spanOf(start: Point, stop: Point | undefined): OsprofilerSpan {
  return {
    id: start.traceId,
    parentId: start.parentId,
    name: start.name.replace(/-start$/, ''),
    project: start.project,
    service: start.service,
    host: text(start.info['host']),
    startUs: start.timestampUs,
    endUs: Math.max(start.timestampUs, stop?.timestampUs ?? start.timestampUs),
    finished: stop !== undefined,
    detail: detailOf(start.info),
  }
}

function detailOf(info: Readonly<Record<string, unknown>>): string {
  const { request, db, function: called } = info
  if (isObject(request)) return `${text(request['method'])} ${text(request['path'])}`
  if (isObject(db)) return text(db['statement']).replace(/\s+/g, ' ').trim()
  // Only its name: arguments hold whatever the services were given, passwords included.
  if (isObject(called)) return text(called['name'])
  return text(info['name'])
}
