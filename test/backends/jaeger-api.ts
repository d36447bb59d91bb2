import { spansOfOtlpJson, type ToldSpan } from './told-spans.js'

/** The two APIs of Jaeger v2's query service. */
export interface JaegerApi {
  /** Through /api/v3, which keeps nanoseconds, types and the attributes of links. Empty: not there (yet). */
  spans(traceId: string): Promise<ToldSpan[]>
  /** What Jaeger thinks is wrong with a trace: clock skew, missing parents. */
  warnings(traceId: string): Promise<string[]>
  services(): Promise<string[]>
  /** Calls from service to service within the hour: `nginx>web` → number. */
  dependencies(endMillis: number): Promise<Record<string, number>>
}

export function jaegerApi(url: string): JaegerApi {
  const get = async (path: string): Promise<Record<string, unknown> | undefined> => {
    const response = await fetch(`${url}${path}`)
    if (response.status === 404) return undefined
    if (!response.ok) throw new Error(`Jaeger answers ${response.status} to ${path}: ${await response.text()}`)
    return (await response.json()) as Record<string, unknown>
  }
  return {
    async spans(traceId) {
      const body = await get(`/api/v3/traces/${traceId}`)
      return body === undefined ? [] : spansOfOtlpJson([body['result']])
    },
    async warnings(traceId) {
      const body = await get(`/api/traces/${traceId}`)
      if (body === undefined) return ['not there']
      const [trace] = body['data'] as [{ spans: { spanID: string; warnings: string[] | null }[] }]
      return trace.spans.flatMap(span => (span.warnings ?? []).map(warning => `${span.spanID}: ${warning}`))
    },
    services: async () => ((await get('/api/services'))?.['data'] ?? []) as string[],
    async dependencies(endMillis) {
      const body = await get(`/api/dependencies?endTs=${endMillis}&lookback=3600000`)
      const edges = (body?.['data'] ?? []) as { parent: string; child: string; callCount: number }[]
      return Object.fromEntries(edges.map(({ parent, child, callCount }) => [`${parent}>${child}`, callCount]))
    },
  }
}
