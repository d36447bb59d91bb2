import type { Sample } from '../samples/sample.js'
import type { Evidence, EvidenceKind, EvidenceSource, Link } from './link.js'

/** Clocks of one host, but a send is timed after it was done: a cause may seem this much later than its effect. */
const ORDER_SLACK_NS = 5_000_000

/** Candidates kept beside the chosen one, so that a doubtful link can be explained. */
const KEPT_ALTERNATIVES = 4

/** Turns all evidence about a sample into at most one link. Deterministic: ties go to the earlier parent. */
export interface Solver {
  /** undefined: nothing speaks for any parent. */
  solve(child: Sample): Link | undefined
}

interface Candidate {
  readonly parent: Sample
  readonly strengths: Record<EvidenceKind, number>
  score: number
}

export function createSolver(sources: readonly EvidenceSource[]): Solver {
  const evidence: Evidence[] = []
  return {
    solve: child => {
      evidence.length = 0
      for (const source of sources) source.candidates(child, evidence)
      if (evidence.length === 0) return undefined
      const candidates = gather(child, evidence)
      const best = candidates[0]
      if (best === undefined) return undefined
      const confidence = confidenceOf(candidates)
      return {
        parent: best.parent,
        child,
        strengths: best.strengths,
        evidence: strongest(best.strengths),
        confidence,
        alternatives:
          confidence >= 0.99
            ? []
            : candidates.slice(1, 1 + KEPT_ALTERNATIVES).map(({ parent, score }) => ({ parent, confidence: score })),
      }
    },
  }
}

function gather(child: Sample, evidence: readonly Evidence[]): Candidate[] {
  const candidates: Candidate[] = []
  for (const { kind, parent, strength } of evidence) {
    // An effect does not come before its cause.
    if (parent === child || parent.startNs > child.startNs + ORDER_SLACK_NS) continue
    let candidate = candidates.find(known => known.parent === parent)
    if (candidate === undefined) {
      candidate = { parent, strengths: { wire: 0, context: 0, content: 0, time: 0 }, score: 0 }
      candidates.push(candidate)
    }
    candidate.strengths[kind] = Math.max(candidate.strengths[kind], strength)
  }
  for (const candidate of candidates) {
    const { wire, context, content, time } = candidate.strengths
    candidate.score = rounded(1 - (1 - wire) * (1 - context) * (1 - content) * (1 - time))
  }
  return candidates.sort((a, b) => b.score - a.score || a.parent.serial - b.parent.serial)
}

/** What speaks for another parent speaks against the best one. */
function confidenceOf(candidates: readonly Candidate[]): number {
  const best = candidates[0]!.score
  const rival = candidates[1]?.score ?? 0
  return rival === 0 ? best : rounded(best * (1 - rival * (1 - best)) * (best === rival ? 0.5 : 1))
}

/** Four digits: more would only carry the noise of the multiplication. */
function rounded(share: number): number {
  return Math.round(share * 1e4) / 1e4
}

function strongest(strengths: Record<EvidenceKind, number>): EvidenceKind {
  let kind: EvidenceKind = 'wire'
  for (const other of ['context', 'content', 'time'] as const) {
    if (strengths[other] > strengths[kind]) kind = other
  }
  return kind
}
