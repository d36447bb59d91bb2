import { ownerOf, trustIn } from '../samples/activity.js'
import type { MessageBacklog } from '../samples/message-backlog.js'
import type { Sample } from '../samples/sample.js'
import type { ContextCounts } from './context-counts.js'
import type { Evidence, EvidenceSource } from './link.js'

/**
 * A call was made in an activity, and the activity has an owner: the request or message that its carrier was working
 * for. As good as the carrier's kind and the process' habits let one trust (`Activity.trust`).
 */
export function createContextEvidence(backlog: MessageBacklog, counts: ContextCounts): EvidenceSource {
  const strengthOf = (call: Sample, owner: Sample): number => {
    const behind = owner.exchange.shape === 'message' ? backlog.trust(call, owner) : 1
    return trustIn(call.activity!) * call.contextTrust * behind
  }
  return {
    kind: 'context',
    candidates: (sample, out: Evidence[]) => {
      if (sample.side !== 'client') return
      const owner = ownerOf(sample.activity)
      if (owner === undefined || owner === sample) return
      out.push({ kind: 'context', parent: owner, strength: strengthOf(sample, owner) })
    },
    forget: sample => {
      if (sample.side !== 'client' || sample.kind === 'internal') return
      const owner = ownerOf(sample.activity)
      counts.count(sample, owner === undefined || owner === sample ? 0 : strengthOf(sample, owner))
    },
  }
}
