import type { ToldSpan } from './told-spans.js'

export interface ClickHouseAccess {
  readonly url: string
  readonly password: string
}

/** Runs a statement over HTTP, answers as rows. */
export async function query(access: ClickHouseAccess, sql: string): Promise<Record<string, unknown>[]> {
  const response = await fetch(`${access.url}/?default_format=JSONEachRow`, {
    method: 'POST',
    headers: { 'x-clickhouse-user': 'default', 'x-clickhouse-key': access.password },
    body: sql,
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`ClickHouse answers ${response.status}: ${text}`)
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Record<string, unknown>)
}

/** The spans of a trace in the table that the collector's exporter made. Attributes are text there. */
export async function spansInOtelTraces(access: ClickHouseAccess, traceId: string): Promise<ToldSpan[]> {
  const rows = await query(
    access,
    `SELECT *, toString(toUnixTimestamp64Nano(Timestamp)) AS StartNanos,
       toString(toUnixTimestamp64Nano(Timestamp) + Duration) AS EndNanos
     FROM otel.otel_traces WHERE TraceId = '${traceId}'`,
  )
  return rows.map(row => {
    const linked = row['Links.TraceId'] as string[]
    return {
      traceId: String(row['TraceId']),
      spanId: String(row['SpanId']),
      parentSpanId: String(row['ParentSpanId']),
      service: String(row['ServiceName']),
      name: String(row['SpanName']),
      kind: String(row['SpanKind']).toLowerCase(),
      startNanos: String(row['StartNanos']),
      endNanos: String(row['EndNanos']),
      status: String(row['StatusCode']).toLowerCase(),
      message: String(row['StatusMessage']),
      attributes: row['SpanAttributes'] as Record<string, unknown>,
      links: linked.map((id, i) => ({
        traceId: id,
        spanId: (row['Links.SpanId'] as string[])[i]!,
        attributes: (row['Links.Attributes'] as Record<string, unknown>[])[i]!,
      })),
    }
  })
}
