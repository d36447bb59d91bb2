import type { ClickHouseClient } from '@clickhouse/client'
import { appendThinRow, THIN_COLUMNS, thinRow } from '../shapes/thin-trace.js'
import type { Counters } from '../telemetry/counters.js'
import { type Archive, isMissing } from './archive.js'
import { insertBatch } from './insert.js'
import { createFetchedDictionary } from './queries/shape-dictionary.js'
import { readShapeRows } from './queries/shape-traces.js'
import { RowBinaryWriter } from './row-binary.js'

export interface ThinOptions {
  readonly archive: Archive
  /** Since a trace was archived. */
  readonly ageSeconds: number
  /** `shapes.traces.{thinned,not_thinned}`. */
  readonly counters: Counters
}

/** Traces at a time. */
const PAGE = 5_000

/**
 * Thins traces that are old enough, part by part: a part is dropped when all of its traces have a thin row. If it was
 * merged meanwhile it is thinned again the next time, and the table keeps one row a trace.
 */
export async function thinOldTraces({ archive, ageSeconds, counters }: ThinOptions): Promise<number> {
  const { database } = archive
  try {
    return await archive.run(async client => {
      let thinned = 0
      for (const part of await oldParts(client, database, ageSeconds)) {
        thinned += await thinPart(client, database, part, counters)
        await client
          .command({ query: `ALTER TABLE ${database}.shape_traces DROP PART '${part}'` })
          .catch((error: { code?: string }) => {
            // NO_SUCH_DATA_PART: a merge was quicker.
            if (error.code !== '232') throw error
          })
      }
      counters.add('shapes.traces.thinned', thinned)
      return thinned
    })
  } catch (error) {
    if (isMissing(error)) return 0
    throw error
  }
}

async function oldParts(client: ClickHouseClient, database: string, seconds: number): Promise<string[]> {
  const result = await client.query({
    query: `SELECT _part AS part FROM ${database}.shape_traces GROUP BY _part
      HAVING max(archived) <= now() - toIntervalSecond({seconds:UInt32}) ORDER BY part`,
    query_params: { seconds: Math.round(seconds) },
    format: 'JSONEachRow',
  })
  return (await result.json<{ part: string }>()).map(row => row.part)
}

async function thinPart(client: ClickHouseClient, database: string, part: string, counters: Counters): Promise<number> {
  const dictionary = createFetchedDictionary(database)
  let thinned = 0
  for (let page = 0; ; page++) {
    const rows = await readShapeRows(
      client,
      database,
      `_part = {part:String} ORDER BY shape, node, Start, trace_key LIMIT ${PAGE} OFFSET ${page * PAGE}`,
      { part },
    )
    if (rows.length === 0) return thinned
    await dictionary.fetch(
      client,
      rows.map(row => row.node),
    )
    const writer = new RowBinaryWriter()
    let written = 0
    for (const row of rows) {
      try {
        appendThinRow(writer, thinRow(row, dictionary))
        written++
      } catch {
        // Not to be rebuilt as it is: nothing that could be thinned.
        counters.add('shapes.traces.not_thinned')
      }
    }
    const batch = { token: `thin-${part}-${page}`, table: 'thin_traces', rows: written, bytes: writer.bytes() }
    if (written > 0) {
      await insertBatch(client, database, { ...batch, columns: THIN_COLUMNS }, new AbortController().signal)
    }
    thinned += written
    if (rows.length < PAGE) return thinned
  }
}
