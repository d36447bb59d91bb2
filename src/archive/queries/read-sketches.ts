import { createFrequentItems } from '../../sketches/frequent-items.js'
import { formatOfKinds, type SketchKind, type SketchRow } from '../../sketches/sketch-row.js'
import { type Archive, isMissing } from '../archive.js'
import { mergedRows } from '../roll-up.js'

/** Which sketches to merge, all of one format. Seconds since 1970. */
export interface SketchFilter {
  readonly kinds: readonly SketchKind[]
  readonly since: number
  readonly until: number
  readonly service?: string
  readonly name?: string
}

/** All rows of one key within the range, merged. */
export type MergedSketch = Omit<SketchRow, 'time' | 'format'>

export interface SketchReading {
  readonly sketches: readonly MergedSketch[]
  /** Where the range begins that was read: earlier than asked where only whole hours or days are kept. */
  readonly since: number
  /** Rows within the range whose sketches are of other formats, and cannot be merged with these. */
  readonly otherFormats: readonly { readonly format: number; readonly rows: number }[]
  /** Rows that were read, all resolutions together. */
  readonly rowsRead: number
}

interface Row {
  readonly kind: SketchKind
  readonly service: string
  readonly name: string
  readonly class: string
  readonly calls: string
  readonly errors: string
  readonly duration_ns: string
  readonly longest_ns: string
  readonly request_bytes: string
  readonly response_bytes: string
  readonly bins: number[]
  readonly counts: string[]
  readonly registers: number[]
  readonly ranks: number[]
  readonly items: string[]
  readonly item_counts: string[]
}

const HOUR = 3_600
const DAY = 86_400
/** Ranges up to so long are read by minutes; up to the second, by hours; longer ones by days. */
const BY_MINUTES = 3 * HOUR
const BY_HOURS = 4 * DAY

/**
 * Merged sketches of a range: days where whole days are asked for, hours and minutes for what has not been rolled up
 * yet. Nothing archived yet: nothing. Throws the client's errors, and a RangeError for kinds of different formats.
 */
export async function readSketches(archive: Archive, filter: SketchFilter): Promise<SketchReading> {
  const { database } = archive
  const length = filter.until - filter.since
  const unit = length <= BY_MINUTES ? 60 : length <= BY_HOURS ? HOUR : DAY
  const since = filter.since - (filter.since % unit)
  const parameters = {
    ...{ since, until: filter.until, kinds: [...filter.kinds], format: formatOfKinds(filter.kinds) },
    ...{ service: filter.service ?? '', name: filter.name ?? '' },
  }
  const key = `kind IN {kinds:Array(String)} AND time >= toDateTime({since:UInt32}) AND time < toDateTime({until:UInt32})
    ${filter.service === undefined ? '' : 'AND service = {service:String}'} ${filter.name === undefined ? '' : 'AND name = {name:String}'}`
  const source = tiers(database, unit, key)
  try {
    return await archive.run(async client => {
      const ask = async <T>(query: string): Promise<T[]> =>
        (await client.query({ query, query_params: parameters, format: 'JSONEachRow' })).json<T>()
      const rows = await ask<Row>(
        `${mergedRows(`SELECT * FROM (${source}) WHERE format = {format:UInt8}`, 'kind, service, name, class')}
         ORDER BY kind, service, name, class`,
      )
      const counts = await ask<{ format: number; rows: string }>(
        `SELECT format, count() AS rows FROM (${source}) GROUP BY format ORDER BY format`,
      )
      const formats = counts.map(({ format, rows: number }) => ({ format, rows: Number(number) }))
      return {
        sketches: rows.map(mergedSketch),
        since,
        otherFormats: formats.filter(({ format }) => format !== parameters.format),
        rowsRead: formats.reduce((sum, each) => sum + each.rows, 0),
      }
    })
  } catch (error) {
    if (isMissing(error)) return { sketches: [], since, otherFormats: [], rowsRead: 0 }
    throw error
  }
}

/** Days and hours as far as they have been made, then what is finer. */
function tiers(database: string, unit: number, key: string): string {
  const columns = `kind, service, name, class, format, calls, errors, duration_ns, longest_ns, request_bytes, response_bytes,
    bins, counts, registers, ranks, items, item_counts`
  const made = (resolution: string, seconds: number): string =>
    `(SELECT if(count() = 0, toDateTime(0), max(time) + ${seconds}) FROM ${database}.sketches_${resolution})`
  const parts: string[] = []
  let from = 'toDateTime(0)'
  if (unit === DAY) {
    parts.push(`SELECT ${columns} FROM ${database}.sketches_days FINAL WHERE ${key}`)
    from = made('days', DAY)
  }
  if (unit >= HOUR) {
    parts.push(`SELECT ${columns} FROM ${database}.sketches_hours FINAL WHERE ${key} AND time >= ${from}`)
    from = `greatest(${from}, ${made('hours', HOUR)})`
  }
  parts.push(`SELECT ${columns} FROM ${database}.sketches_minutes WHERE ${key} AND time >= ${from}`)
  return parts.join(' UNION ALL ')
}

function mergedSketch(row: Row): MergedSketch {
  const items = createFrequentItems()
  row.items.forEach((item, i) => {
    items.add(item, Number(row.item_counts[i]))
  })
  return {
    ...{ kind: row.kind, service: row.service, name: row.name, class: row.class },
    ...{ calls: Number(row.calls), errors: Number(row.errors), durationNs: Number(row.duration_ns) },
    ...{ longestNs: Number(row.longest_ns), requestBytes: Number(row.request_bytes) },
    responseBytes: Number(row.response_bytes),
    bins: { indexes: row.bins, counts: row.counts.map(Number) },
    registers: { indexes: row.registers, ranks: row.ranks },
    items: items.items(),
  }
}
