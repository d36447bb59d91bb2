import { ownerOf, trustIn } from '../samples/activity.js'
import type { MessageBacklog } from '../samples/message-backlog.js'
import type { Evidence, EvidenceSource } from './link.js'

/**
 * A call was made in an activity, and the activity has an owner: the request or message that its carrier was working
 * for. As good as the carrier's kind and the process' habits let one trust (`Activity.trust`).
 */
export function createContextEvidence(backlog: MessageBacklog): EvidenceSource {
  return {
    kind: 'context',
    candidates: (sample, out: Evidence[]) => {
      if (sample.side !== 'client') return
      const owner = ownerOf(sample.activity)
      if (owner === undefined || owner === sample) return
      const behind = owner.exchange.shape === 'message' ? backlog.trust(sample, owner) : 1
      const strength = trustIn(sample.activity!) * sample.contextTrust * behind
      out.push({ kind: 'context', parent: owner, strength })
    },
  }
}
