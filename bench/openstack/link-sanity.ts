import type { RebuiltSpan } from '../../src/compare/rebuilt-span.js'

/** What the links of reconstructed traces say that cannot be, by structure alone. */
export interface LinkSanity {
  readonly traces: number
  readonly spans: number
  /** Traces with no root or more than one, or with a parent that is not there. */
  readonly torn: number
  /** A call's two ends that name different requests, work in another process than its owner's, a child before its parent. */
  readonly wrong: number
  /** Spans without an answer, marked so. */
  readonly unanswered: number
  readonly problems: readonly string[]
}

/** Clocks of one host are one clock; a send is stamped after it was done. */
const EARLIER_US = 2_000
const MOST_PROBLEMS = 20

export function linkSanity(spans: readonly RebuiltSpan[]): LinkSanity {
  const traces = new Map<string, RebuiltSpan[]>()
  const byId = new Map<string, RebuiltSpan>()
  for (const span of spans) {
    byId.set(`${span.traceId} ${span.spanId}`, span)
    const known = traces.get(span.traceId)
    if (known === undefined) traces.set(span.traceId, [span])
    else known.push(span)
  }
  const problems: string[] = []
  let torn = 0
  let wrong = 0
  for (const [traceId, trace] of traces) {
    const roots = trace.filter(span => span.parentSpanId === undefined).length
    const dangling = trace.filter(
      ({ parentSpanId }) => parentSpanId !== undefined && !byId.has(`${traceId} ${parentSpanId}`),
    )
    if (roots !== 1 || dangling.length > 0) {
      torn++
      problems.push(
        `${traceId}: ${roots} roots, ${dangling.length} parents missing: ${dangling[0]?.name ?? trace[0]!.name}`,
      )
    }
    for (const span of trace) {
      const parent = span.parentSpanId === undefined ? undefined : byId.get(`${traceId} ${span.parentSpanId}`)
      const why = parent === undefined ? undefined : contradiction(parent, span)
      if (why === undefined) continue
      wrong++
      problems.push(`${parent!.service} ${parent!.name} -> ${span.service} ${span.name}: ${why}`)
    }
  }
  const unanswered = spans.filter(span => span.attributes['ghostspan.response.observed'] === false).length
  return {
    traces: traces.size,
    spans: spans.length,
    torn,
    wrong,
    unanswered,
    problems: problems.slice(0, MOST_PROBLEMS),
  }
}

function contradiction(parent: RebuiltSpan, child: RebuiltSpan): string | undefined {
  if (child.startUs < parent.startUs - EARLIER_US) return 'it begins before its parent'
  const isCaller = parent.kind === 'client' || parent.kind === 'producer'
  const isCalled = child.kind === 'server' || child.kind === 'consumer'
  if (isCaller && isCalled) {
    if (parent.protocol !== child.protocol) return `${parent.protocol} became ${child.protocol}`
    const named = ['http.request.method', 'url.path', 'rpc.method', 'db.query.text']
    const other = named.find(name => String(parent.attributes[name]) !== String(child.attributes[name]))
    return other === undefined ? undefined : `${other} differs`
  }
  const isWork = parent.kind === 'server' || parent.kind === 'consumer'
  if (isWork && parent.attributes['process.pid'] !== child.attributes['process.pid']) return 'it is of another process'
  return undefined
}
