import type { FinishedSpan, FinishedTrace } from '../traces/span.js'
import { type Operation, operationKey, type Truth } from './truth.js'

export interface LinkCounts {
  expected: number
  right: number
  /** A parent was given, and it is not the one; also where there should be none. */
  wrong: number
  /** No parent was given, or the operation was not seen at all. */
  missing: number
}

/** How right the traces are, by what the services themselves noted. */
export interface Score {
  readonly requests: number
  /** Traces that hold at least one operation of the load's requests. */
  readonly traces: number
  /** … of these, with exactly one root, and no parent that is not there. */
  readonly oneRoot: number
  /** … of these, holding operations of two requests or more. */
  readonly merged: number
  readonly links: LinkCounts
  readonly precision: number
  readonly recall: number
  /** Operations that happened and have no span. */
  readonly unseen: number
  /** Spans that show an operation a second time. */
  readonly duplicates: number
  /** Spans of operations that nobody noted (logins and the like): neither right nor wrong. */
  readonly unknownSpans: number
  /** By 'service kind protocol' of the child. */
  readonly byLabel: Readonly<Record<string, LinkCounts>>
  /** Some of the wrong and missing ones, for people. */
  readonly examples: readonly string[]
}

const MOST_EXAMPLES = 20

function portOf(endpoint: string): number {
  return Number(endpoint.slice(endpoint.lastIndexOf(':') + 1))
}

function millisOf([seconds, nanos]: FinishedSpan['start']): number {
  return seconds * 1000 + nanos / 1e6
}

/** The operation that a span shows, by the ports and the position that both sides know; never by what it says. */
function operationOf(span: FinishedSpan, truth: Truth): Operation | undefined {
  if (span.kind === 'internal') return undefined
  const direction = span.kind === 'client' || span.kind === 'producer' ? 'out' : 'in'
  const { local, remote, requestPosition } = span.sample
  return truth.index.nearest(
    operationKey(direction, portOf(local), portOf(remote), requestPosition),
    millisOf(span.start),
  )
}

interface WholeTrace {
  readonly spans: Map<string, FinishedSpan>
}

/** What came late belongs to the trace of the same id. */
function wholeTraces(traces: readonly FinishedTrace[]): WholeTrace[] {
  const byId = new Map<string, WholeTrace>()
  for (const trace of traces) {
    let whole = byId.get(trace.traceId)
    if (whole === undefined) byId.set(trace.traceId, (whole = { spans: new Map() }))
    for (const span of trace.spans) whole.spans.set(span.spanId, span)
  }
  return [...byId.values()]
}

function hasOneRoot(trace: WholeTrace): boolean {
  let roots = 0
  for (const span of trace.spans.values()) {
    if (span.parentSpanId === undefined) roots++
    else if (!trace.spans.has(span.parentSpanId)) return false
  }
  return roots === 1
}

class Tally {
  readonly links: LinkCounts = { expected: 0, right: 0, wrong: 0, missing: 0 }
  readonly byLabel: Record<string, LinkCounts> = {}
  readonly examples: string[] = []

  add(operation: Operation, outcome: keyof LinkCounts): void {
    this.links[outcome]++
    this.byLabel[operation.label] ??= { expected: 0, right: 0, wrong: 0, missing: 0 }
    this.byLabel[operation.label]![outcome]++
  }

  example(text: string): void {
    if (this.examples.length < MOST_EXAMPLES) this.examples.push(text)
  }
}

const describe = (operation: Operation | undefined) =>
  operation === undefined
    ? 'something unknown'
    : `${operation.label} ${operation.name} (${operation.request ?? 'none'})`

/** Judges the link of one span; true if the operation's expected link is settled by it. */
function judge(span: FinishedSpan, operation: Operation, trace: WholeTrace, truth: Truth, tally: Tally): boolean {
  if (span.parentSpanId === undefined) return false
  const parentSpan = trace.spans.get(span.parentSpanId)
  const parent = parentSpan && operationOf(parentSpan, truth)
  if (parent !== undefined && parent === operation.parent) {
    tally.add(operation, 'right')
  } else {
    tally.add(operation, 'wrong')
    tally.example(`wrong: ${describe(operation)} under ${describe(parent)} instead of ${describe(operation.parent)}`)
  }
  return true
}

/** Compares finished traces with what the services noted. */
export function scoreTraces(traces: readonly FinishedTrace[], truth: Truth): Score {
  const tally = new Tally()
  const seen = new Set<Operation>()
  const settled = new Set<Operation>()
  const counts = { traces: 0, oneRoot: 0, merged: 0, duplicates: 0, unknownSpans: 0 }
  for (const trace of wholeTraces(traces)) {
    const requests = new Set<string>()
    for (const span of trace.spans.values()) {
      const operation = operationOf(span, truth)
      if (operation === undefined) {
        counts.unknownSpans++
        continue
      }
      if (operation.request !== undefined) requests.add(operation.request)
      if (seen.has(operation)) {
        counts.duplicates++
        tally.add(operation, 'wrong')
        tally.example(`twice: ${describe(operation)}`)
        continue
      }
      seen.add(operation)
      if (judge(span, operation, trace, truth, tally)) settled.add(operation)
    }
    if (requests.size === 0) continue
    counts.traces++
    if (hasOneRoot(trace)) counts.oneRoot++
    if (requests.size > 1) counts.merged++
  }
  const unseen = countExpected(truth, seen, settled, tally)
  const { links } = tally
  const given = links.right + links.wrong
  return {
    requests: truth.requests.size,
    ...counts,
    links,
    precision: given === 0 ? 0 : links.right / given,
    recall: links.expected === 0 ? 0 : links.right / links.expected,
    unseen,
    byLabel: tally.byLabel,
    examples: tally.examples,
  }
}

/** Goes through what should have been linked; returns how much of what the requests caused was not seen at all. */
function countExpected(
  truth: Truth,
  seen: ReadonlySet<Operation>,
  settled: ReadonlySet<Operation>,
  tally: Tally,
): number {
  let unseen = 0
  for (const operation of truth.operations) {
    if (operation.request === undefined) continue
    if (!seen.has(operation)) unseen++
    if (operation.parent === undefined) continue
    tally.add(operation, 'expected')
    if (settled.has(operation)) continue
    tally.add(operation, 'missing')
    tally.example(`${seen.has(operation) ? 'no parent' : 'no span'}: ${describe(operation)} at ${operation.key}`)
  }
  return unseen
}
