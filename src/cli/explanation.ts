import type { EvidenceKind } from '../correlate/link.js'
import { formatDuration, nanosBetween } from '../export/durations.js'
import { Attribute } from '../protocols/attribute-names.js'
import type { FinishedSpan } from '../traces/span.js'

/** Why a span hangs where it hangs. */
export interface Explanation {
  /**
   * linked: to `parent`. remote: to an instrumented caller's span. guess: a root, with a likely parent below the floor.
   * root: nothing spoke for any parent.
   */
  readonly verdict: 'linked' | 'remote' | 'guess' | 'root'
  /** Of the chosen or likely parent; undefined where there is none. */
  readonly parent: Candidate | undefined
  readonly decidedBy: EvidenceKind | undefined
  /** What each kind said for the parent; empty where that was not kept. */
  readonly evidence: readonly EvidenceSaid[]
  /** The other candidates, likeliest first. Kept for links below 0.99. */
  readonly others: readonly Candidate[]
}

export interface EvidenceSaid {
  readonly kind: EvidenceKind
  /** 0 to 1; 0: it said nothing for this parent. */
  readonly strength: number
  readonly says: string
}

export interface Candidate {
  readonly spanId: string
  /** 0 to 1; undefined for an instrumented caller's span. */
  readonly confidence: number | undefined
  /** undefined: not in the archive (any more). */
  readonly span: FinishedSpan | undefined
  /** How it lies in time to the span that is explained; empty where its span is not known. */
  readonly times: string
}

const KINDS = ['wire', 'context', 'content', 'time'] as const

/** From the span as it was archived, and its candidates. */
export function explain(span: FinishedSpan, related: ReadonlyMap<string, FinishedSpan>): Explanation {
  const candidate = (spanId: string, confidence: number | undefined): Candidate => {
    const other = related.get(spanId)
    return { spanId, confidence, span: other, times: other === undefined ? '' : timesOf(span, other) }
  }
  const { link, parentSpanId, links } = span
  if (parentSpanId !== undefined && span.parentRemote) {
    return {
      verdict: 'remote',
      parent: candidate(parentSpanId, undefined),
      decidedBy: undefined,
      evidence: [],
      others: [],
    }
  }
  if (parentSpanId !== undefined && link !== undefined) {
    const parent = candidate(parentSpanId, link.confidence)
    return {
      verdict: 'linked',
      parent,
      decidedBy: link.evidence,
      evidence: KINDS.map(kind => ({
        kind,
        strength: link.strengths[kind],
        says: link.strengths[kind] > 0 ? saidBy(kind, span, parent.span) : silence(kind, link.evidence),
      })),
      others: link.alternatives.map(other => candidate(other.spanId, other.confidence)),
    }
  }
  const guesses = links.map(({ spanId, attributes }) =>
    candidate(spanId, Number(attributes[Attribute.ghostspanLinkConfidence] ?? 0)),
  )
  const kind = links[0]?.attributes[Attribute.ghostspanLinkEvidence] as EvidenceKind | undefined
  return {
    verdict: guesses.length === 0 ? 'root' : 'guess',
    parent: guesses[0],
    decidedBy: kind,
    evidence:
      kind === undefined
        ? []
        : [{ kind, strength: guesses[0]!.confidence!, says: saidBy(kind, span, guesses[0]!.span) }],
    others: guesses.slice(1),
  }
}

function saidBy(kind: EvidenceKind, span: FinishedSpan, parent: FinishedSpan | undefined): string {
  if (parent === undefined) return 'the candidate is not in the archive any more'
  switch (kind) {
    case 'wire':
      return `both ends of one connection, ${span.sample.remote} and ${span.sample.local}, saw the same bytes`
    case 'context':
      return contextSaid(span, parent)
    case 'content':
      return contentSaid(span, parent)
    case 'time':
      return `its times fit what this operation usually does: ${timesOf(span, parent)}`
  }
}

function contextSaid(span: FinishedSpan, parent: FinishedSpan): string {
  if (parent.kind === 'internal') return `process ${parent.sample.pid} made it, and is the root of all that it asks for`
  const runner = ({ sample: { tid, carrier } }: FinishedSpan): string =>
    carrier === 0 ? `thread ${tid}` : `task ${carrier.toString(16)} on thread ${tid}`
  const [by, reader] = [runner(span), runner(parent)]
  const what = parent.kind === 'consumer' ? 'message' : 'request'
  return by === reader
    ? `${by} of process ${span.sample.pid} read the ${what} and made this while it worked for it`
    : `${by} of process ${span.sample.pid} worked for the ${what} that ${reader} had read: it was started for it, took it over, or answered it`
}

function contentSaid(span: FinishedSpan, parent: FinishedSpan): string {
  if (span.kind === 'client') return 'it passes on what that request asks for: the same method, target and length'
  if (span.kind === 'producer') return 'it answers that message: the same call identifier'
  const same = [
    Attribute.messagingMessageId,
    Attribute.messagingMessageConversationId,
    Attribute.kafkaOffset,
    Attribute.messagingDestinationName,
  ].filter(
    name => span.attributes[name] !== undefined && String(span.attributes[name]) === String(parent.attributes[name]),
  )
  const attributes = same.map(name => `${name} ${String(span.attributes[name])}`).join(', ')
  return `it consumes what that one sent: the same identifiers${attributes === '' ? '' : ` (${attributes})`}`
}

function silence(kind: EvidenceKind, decidedBy: EvidenceKind): string {
  if (kind === 'time') return 'nothing: it is asked only where the others leave a doubt'
  return decidedBy === 'wire' ? 'nothing: it is not asked about the two ends of one exchange' : 'nothing'
}

/** Containment and order, which a synchronous call must have. */
function timesOf(span: FinishedSpan, other: FinishedSpan): string {
  const began = nanosBetween(span.start, other.start)
  const ended = nanosBetween(other.end, span.end)
  const first = began >= 0 ? `begun ${formatDuration(began)} after it` : `begun ${formatDuration(-began)} before it`
  const last =
    ended >= 0 ? `ended ${formatDuration(ended)} before its end` : `ended ${formatDuration(-ended)} after its end`
  return `${first}, ${last}`
}
