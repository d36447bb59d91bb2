import type { Sample } from '../samples/sample.js'
import { createGroupAgreement, type GroupAgreement } from './group-agreement.js'
import { type Evidence, type EvidenceKind, type EvidenceSource, evidenceKinds, type Link } from './link.js'

/** Clocks of one host, but a send is timed after it was done: a cause may seem this much later than its effect. */
const ORDER_SLACK_NS = 5_000_000

const NO_ALTERNATIVES: Link['alternatives'] = []

/** Candidates kept beside the chosen one, so that a doubtful link can be explained. */
const KEPT_ALTERNATIVES = 4
/** Where something speaks for another parent, nothing is surer than this. */
const SUREST_AGAINST_OTHERS = 0.9999
/** From links that are this sure by one kind alone is learned what the others are worth. */
const SURE = 0.999

/** Turns all evidence about a sample into at most one link. Deterministic: ties go to the earlier parent. */
export interface Solver {
  /** undefined: nothing speaks for any parent. */
  solve(child: Sample): Link | undefined
}

interface Candidate {
  readonly parent: Sample
  readonly strengths: Record<EvidenceKind, number>
  /** How many times likelier than that it is none of the candidates. */
  odds: number
  confidence: number
}

export function createSolver(sources: readonly EvidenceSource[]): Solver {
  const evidence: Evidence[] = []
  const groups = createGroupAgreement()
  const learned = new WeakSet<Sample>()
  return {
    solve: child => {
      evidence.length = 0
      for (const source of sources) source.candidates(child, evidence)
      if (evidence.length === 0) return undefined
      const candidates = gather(child, evidence)
      if (candidates.length === 0) return undefined
      weigh(child, candidates, groups)
      const best = candidates[0]!
      if (child.complete && candidates.length === 1 && best.strengths.context >= SURE && !learned.has(child)) {
        learned.add(child)
        groups.learn(child, best.parent)
      }
      const { confidence } = best
      return {
        parent: best.parent,
        child,
        strengths: best.strengths,
        evidence: strongest(best.strengths),
        confidence,
        alternatives:
          confidence >= 0.99
            ? NO_ALTERNATIVES
            : candidates
                .slice(1, 1 + KEPT_ALTERNATIVES)
                .map(({ parent, confidence: sure }) => ({ parent, confidence: sure })),
      }
    },
  }
}

function gather(child: Sample, evidence: readonly Evidence[]): Candidate[] {
  const candidates: Candidate[] = []
  for (const { kind, parent, strength } of evidence) {
    // An effect does not come before its cause; what is not believed at all says nothing.
    if (strength <= 0 || parent === child || parent.startNs > child.startNs + ORDER_SLACK_NS) continue
    let candidate = candidates.find(known => known.parent === parent)
    if (candidate === undefined) {
      candidate = { parent, strengths: { wire: 0, context: 0, content: 0, time: 0 }, odds: 1, confidence: 0 }
      candidates.push(candidate)
    }
    candidate.strengths[kind] = Math.max(candidate.strengths[kind], strength)
  }
  return candidates
}

/**
 * Each kind of evidence has looked at all candidates and says how sure it is of some, which leaves a rest for all else.
 * Taken as independent, their odds against that rest multiply, and the candidates share what they make together (Bayes'
 * rule): two kinds that say the same make a link surer, two that contradict each other leave it in doubt.
 */
function weigh(child: Sample, candidates: Candidate[], groups: GroupAgreement): void {
  const only = candidates.length === 1
  for (const kind of evidenceKinds) {
    let rest = 1
    for (const { strengths } of candidates) rest -= strengths[kind]
    rest = Math.max(1 - SUREST_AGAINST_OTHERS, rest)
    for (const candidate of candidates) {
      const strength = candidate.strengths[kind]
      if (strength > 0) candidate.odds *= strength / rest
    }
  }
  let sum = 1
  for (const candidate of candidates) {
    const ratio = candidate.strengths.wire > 0 ? 1 : groups.ratio(child, candidate.parent)
    candidate.odds *= ratio
    sum += candidate.odds
    // Nothing speaks against it.
    if (only && ratio >= 1 && isCertain(candidate.strengths)) sum = candidate.odds
  }
  for (const candidate of candidates) candidate.confidence = rounded(candidate.odds / sum)
  candidates.sort((a, b) => b.odds - a.odds || a.parent.serial - b.parent.serial)
}

function isCertain({ wire, context, content }: Record<EvidenceKind, number>): boolean {
  return wire === 1 || context === 1 || content === 1
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
