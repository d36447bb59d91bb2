import type { ClickHouseClient } from '@clickhouse/client'
import { SHAPE_INCOMPLETE, SHAPE_LATE, type ShapeRow } from '../../shapes/shape-row.js'
import { NUMBER_STREAMS } from '../../shapes/span-fields.js'
import { decodeThinTrace, type ThinRow } from '../../shapes/thin-trace.js'
import { decodeTrace } from '../../shapes/trace-decoder.js'
import type { FinishedTrace } from '../../traces/span.js'
import { createFetchedDictionary, type FetchedDictionary } from './shape-dictionary.js'

const hex = (column: string): string => `lower(leftPad(hex(${column}), 16, '0'))`

const HEAD = `lower(hex(trace_key)) AS trace, intDiv(toUnixTimestamp64Nano(Start), 1000000000) AS seconds,
  toUnixTimestamp64Nano(Start) % 1000000000 AS nanos, lower(hex(shape)) AS shape_hex, ${hex('node')} AS node_hex, flags, spans,
  weight, repeats`

interface HeadRow {
  readonly trace: string
  readonly seconds: string
  readonly nanos: string
  readonly shape_hex: string
  readonly node_hex: string
  readonly flags: number
  readonly spans: number
  readonly weight: number
  readonly repeats: string[]
}

interface FullRow extends HeadRow {
  readonly gaps: string[]
  readonly tails: string[]
  readonly span_ids: string[]
  readonly texts: string[]
  readonly [stream: string]: unknown
}

const SHAPE_TRACE_COLUMNS = `${HEAD}, gaps, tails, arrayMap(id -> ${hex('id')}, ids) AS span_ids, ${NUMBER_STREAMS.join(', ')}, texts`
const THIN_TRACE_COLUMNS = `${HEAD}, gap_scales, gap_digits, duration_scales, duration_digits`

interface ThinTableRow extends HeadRow {
  readonly gap_scales: number[]
  readonly gap_digits: number[]
  readonly duration_scales: number[]
  readonly duration_digits: number[]
}

/** Rows of `shape_traces` that fit a condition, as they are stored. */
export async function readShapeRows(
  client: ClickHouseClient,
  database: string,
  condition: string,
  parameters: Record<string, unknown>,
): Promise<ShapeRow[]> {
  const from = `${SHAPE_TRACE_COLUMNS} FROM ${database}.shape_traces`
  return (await rowsWhere<FullRow>(client, from, condition, parameters)).map(row => ({
    ...headOf(row),
    gaps: row.gaps.map(Number),
    tails: row.tails.map(Number),
    ids: row.span_ids,
    numbers: Object.fromEntries(
      NUMBER_STREAMS.map(stream => [stream, (row[stream] as string[]).map(Number)]),
    ) as unknown as ShapeRow['numbers'],
    texts: row.texts,
  }))
}

/** Traces that are kept as shapes, rebuilt. Their order is the condition's. */
export async function readShapeTraces(
  client: ClickHouseClient,
  database: string,
  condition: string,
  parameters: Record<string, unknown>,
  dictionary: FetchedDictionary = createFetchedDictionary(database),
): Promise<FinishedTrace[]> {
  const rows = await readShapeRows(client, database, condition, parameters)
  await dictionary.fetch(
    client,
    rows.map(row => row.node),
  )
  return rows.map(row => decodeTrace(row, dictionary))
}

/** Traces that have been thinned: their structure, and times of three digits. */
export async function readThinTraces(
  client: ClickHouseClient,
  database: string,
  condition: string,
  parameters: Record<string, unknown>,
): Promise<FinishedTrace[]> {
  const from = `${THIN_TRACE_COLUMNS} FROM ${database}.thin_traces`
  const rows = await rowsWhere<ThinTableRow>(client, from, condition, parameters)
  const dictionary = createFetchedDictionary(database)
  await dictionary.fetch(
    client,
    rows.map(row => row.node_hex),
  )
  return rows.map(row => {
    const thin: ThinRow = {
      ...headOf(row),
      ...{ gapScales: row.gap_scales, gapDigits: row.gap_digits },
      ...{ durationScales: row.duration_scales, durationDigits: row.duration_digits },
    }
    return decodeThinTrace(thin, dictionary)
  })
}

async function rowsWhere<Row>(
  client: ClickHouseClient,
  columnsFromTable: string,
  condition: string,
  parameters: Record<string, unknown>,
): Promise<Row[]> {
  const result = await client.query({
    query: `SELECT ${columnsFromTable} WHERE ${condition}`,
    query_params: parameters,
    format: 'JSONEachRow',
  })
  return await result.json<Row>()
}

function headOf(row: HeadRow) {
  return {
    traceId: row.trace,
    start: [Number(row.seconds), Number(row.nanos)] as const,
    shape: row.shape_hex,
    node: row.node_hex,
    late: (row.flags & SHAPE_LATE) !== 0,
    incomplete: (row.flags & SHAPE_INCOMPLETE) !== 0,
    spans: row.spans,
    weight: row.weight,
    repeats: row.repeats.map(Number),
  }
}
