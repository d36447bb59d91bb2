import type { Sample } from '../samples/sample.js'

export const evidenceKinds = ['wire', 'context', 'content', 'time'] as const
export type EvidenceKind = (typeof evidenceKinds)[number]

/** One reason to believe that `parent` caused a sample. */
export interface Evidence {
  readonly kind: EvidenceKind
  readonly parent: Sample
  /** From 0 to 1: how often evidence like this is right when it stands alone. */
  readonly strength: number
}

/** A caused B, with all that speaks for it. */
export interface Link {
  readonly parent: Sample
  readonly child: Sample
  /** Strength by kind, 0 where that kind says nothing. */
  readonly strengths: Readonly<Record<EvidenceKind, number>>
  /** The kind that decided. */
  readonly evidence: EvidenceKind
  readonly confidence: number
  /** The next best candidates, for links below 0.99: explained later. */
  readonly alternatives: readonly { readonly parent: Sample; readonly confidence: number }[]
}

/**
 * One kind of evidence. `candidates` is asked once a sample has settled (its own end and everything that could bear on
 * it has been seen); it is synchronous, bounded, and appends to `out`.
 */
export interface EvidenceSource {
  readonly kind: EvidenceKind
  /** A sample begins (its request was seen). */
  begin?(sample: Sample): void
  /** Its wire key has become known after its beginning. */
  keyed?(sample: Sample): void
  /** All of its request has been seen: what identifies it is known. */
  requested?(sample: Sample): void
  /** A sample is complete. */
  complete?(sample: Sample): void
  candidates(sample: Sample, out: Evidence[]): void
  /** A sample has been decided and its trace has left: forget it. */
  forget?(sample: Sample): void
}
