import { type Operation, operationKey } from '../../src/demo/truth.js'
import { Attribute } from '../../src/protocols/attribute-names.js'
import type { FinishedSpan, FinishedTrace } from '../../src/traces/span.js'
import { type Calibration, type Claim, calibrationOf } from './calibration.js'
import type { Truth } from './truth.js'

export interface LinkCounts {
  /** Calls that belong to a request. */
  readonly expected: number
  readonly right: number
  /** Given to another request, or to one when they belong to none. */
  readonly wrong: number
  /** Belong to a request and were given to none. */
  readonly unlinked: number
}

export interface Score {
  readonly links: LinkCounts
  /** null: nothing was linked. */
  readonly precision: number | null
  readonly recall: number
  /** Share of the calls that belong to a request. */
  readonly unlinked: number
  /** The same, of links said to be as sure as the goal asks for. */
  readonly sure: { readonly from: number; readonly precision: number | null; readonly recall: number }
  readonly background: { readonly calls: number; readonly linked: number }
  /** Operations that are known to have happened and have no span. */
  readonly unseen: number
  readonly calibration: Calibration
  /** Some of the wrong and missing ones, for people. */
  readonly examples: readonly string[]
}

const LONGEST_CHAIN = 64
const MOST_EXAMPLES = 12

/** Where the way up from a call ends: at a request of the load, or nowhere. */
interface Found {
  readonly request: string | undefined
  /** Product of the confidences of the links on the way. */
  readonly confidence: number
  readonly evidence: string
  /** False: one of the links is a guess below the floor, no parent. */
  readonly linked: boolean
}

function portOf(endpoint: string): number {
  return Number(endpoint.slice(endpoint.lastIndexOf(':') + 1))
}

/** The operation that a span shows, by the ports and the position that both ends know; never by what it says. */
function operationOf(span: FinishedSpan, truth: Truth): Operation | undefined {
  if (span.kind === 'internal') return undefined
  const direction = span.kind === 'client' || span.kind === 'producer' ? 'out' : 'in'
  const { local, remote, requestPosition } = span.sample
  const [seconds, nanos] = span.start
  const key = operationKey(direction, portOf(local), portOf(remote), requestPosition)
  return truth.index.nearest(key, seconds * 1000 + nanos / 1e6)
}

function likelyParent(span: FinishedSpan): { spanId: string; confidence: number; evidence: string } | undefined {
  const guess = span.links[0]
  if (guess === undefined) return undefined
  const confidence = Number(guess.attributes[Attribute.ghostspanLinkConfidence])
  return { spanId: guess.spanId, confidence, evidence: String(guess.attributes[Attribute.ghostspanLinkEvidence]) }
}

function climb(call: FinishedSpan, spans: ReadonlyMap<string, FinishedSpan>, truth: Truth): Found {
  let confidence = 1
  let linked = true
  const evidence: string[] = []
  let span = call
  for (let steps = 0; steps < LONGEST_CHAIN; steps++) {
    const { link } = span
    const guess = span.parentSpanId === undefined ? likelyParent(span) : undefined
    if (guess !== undefined) linked = false
    const parent = spans.get(span.parentSpanId ?? guess?.spanId ?? '')
    if (parent === undefined) break
    confidence *= link?.confidence ?? guess?.confidence ?? 1
    evidence.push(link?.evidence ?? guess?.evidence ?? '')
    const operation = operationOf(parent, truth)
    if (operation?.label === 'request') {
      return { request: operation.request, confidence, evidence: evidence.join('>'), linked }
    }
    span = parent
  }
  return { request: undefined, confidence: 0, evidence: '', linked: false }
}

class Tally {
  right = 0
  wrong = 0
  sureRight = 0
  sureWrong = 0
  backgroundLinked = 0
  readonly claims: Claim[] = []
  readonly settled = new Set<Operation>()
  readonly seen = new Set<Operation>()
  readonly examples: string[] = []

  example(text: string): void {
    if (this.examples.length < MOST_EXAMPLES) this.examples.push(text)
  }
}

function judge(call: Operation, span: FinishedSpan, found: Found, sure: number, tally: Tally): void {
  if (found.request === undefined) return
  const right = found.request === call.request
  tally.claims.push({ confidence: found.confidence, right })
  if (!found.linked) return
  tally.settled.add(call)
  if (right) tally.right++
  else tally.wrong++
  if (found.confidence >= sure) {
    if (right) tally.sureRight++
    else tally.sureWrong++
  }
  if (call.request === undefined) tally.backgroundLinked++
  if (right) return
  const by = `${found.evidence} ${found.confidence.toFixed(4)}, thread ${span.sample.tid} carrier ${span.sample.carrier}`
  tally.example(`wrong: ${span.name} of ${call.name} given to ${found.request} (${by})`)
}

/**
 * Compares finished traces with what the load and the backend noted. A call is right when the nearest request of the
 * load above it is the one it was made for.
 * @param sure links from this confidence on are counted once more by themselves
 */
export function scoreTraces(traces: readonly FinishedTrace[], truth: Truth, sure: number): Score {
  const spans = new Map<string, FinishedSpan>()
  for (const trace of traces) for (const span of trace.spans) spans.set(span.spanId, span)
  const tally = new Tally()
  for (const span of spans.values()) {
    const operation = operationOf(span, truth)
    if (operation === undefined || tally.seen.has(operation)) continue
    tally.seen.add(operation)
    if (operation.label === 'call') judge(operation, span, climb(span, spans, truth), sure, tally)
  }
  const unlinked = truth.calls.filter(call => !tally.settled.has(call))
  for (const call of unlinked) {
    tally.example(`${tally.seen.has(call) ? 'no parent' : 'no span'}: call of ${call.name} at ${call.key}`)
  }
  const expected = truth.calls.length
  const { right, wrong, sureRight, sureWrong } = tally
  return {
    links: { expected, right, wrong, unlinked: unlinked.length },
    precision: share(right, right + wrong),
    recall: share(right, expected) ?? 0,
    unlinked: share(unlinked.length, expected) ?? 0,
    sure: { from: sure, precision: share(sureRight, sureRight + sureWrong), recall: share(sureRight, expected) ?? 0 },
    background: { calls: truth.background.length, linked: tally.backgroundLinked },
    unseen: [...truth.calls, ...truth.requests].filter(each => !tally.seen.has(each)).length,
    calibration: calibrationOf(tally.claims),
    examples: tally.examples,
  }
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : Math.round((part / whole) * 1e6) / 1e6
}
