import { ownerOf, trustIn } from '../samples/activity.js'
import type { Evidence, EvidenceSource } from './link.js'

/**
 * A call was made in an activity, and the activity has an owner: the request or message that its carrier was working
 * for. As good as the carrier's kind and the process' habits let one trust (`Activity.trust`).
 */
export function createContextEvidence(): EvidenceSource {
  return {
    kind: 'context',
    candidates: (sample, out: Evidence[]) => {
      if (sample.side !== 'client') return
      const owner = ownerOf(sample.activity)
      if (owner === undefined || owner === sample) return
      out.push({ kind: 'context', parent: owner, strength: trustIn(sample.activity!) * sample.contextTrust })
    },
  }
}
