/**
 * What user space writes into the BPF maps and reads from them: the numbers of `bpf/types/control.h`, compared with
 * it by `test/capture/event-layout.test.ts`.
 */
import type { CopyPolicy } from '../protocols/protocol.js'

export const ProcessDecision = { traced: 1, ignored: 2, own: 3, ownTree: 4 } as const
export type ProcessDecisionValue = (typeof ProcessDecision)[keyof typeof ProcessDecision]

/** By index of lost_by_cause: the counter's name, and whether an event was lost (or only its payload). */
export const LOST_CAUSES = [
  { cause: 'ring_full', counter: 'capture.lost.ring_full', event: true },
  { cause: 'storage_failed', counter: 'capture.lost.storage_failed', event: true },
  { cause: 'map_full', counter: 'capture.failed.map_full', event: false },
  { cause: 'copy_fault', counter: 'capture.uncopied.copy_fault', event: false },
  { cause: 'call_unsupported', counter: 'capture.uncopied.call_unsupported', event: false },
  { cause: 'scattered', counter: 'capture.uncopied.scattered', event: false },
  { cause: 'key_unstable', counter: 'capture.failed.key_unstable', event: false },
  { cause: 'protocol', counter: 'capture.unseen.protocol', event: false },
  { cause: 'sketch_full', counter: 'capture.failed.sketch_full', event: false },
  { cause: 'datagram', counter: 'capture.unseen.datagrams', event: false },
] as const

/** Longest head and tail that the kernel copies; longer wishes are cut to these. */
export const HEAD_LIMIT = 4096
export const TAIL_LIMIT = 4096

export const POLICY = {
  clientHead: 0,
  serverHead: 2,
  clientTail: 4,
  serverTail: 6,
  countOnly: 8,
  onlyLocalPeers: 9,
  bytes: 16,
} as const

export function encodePolicy(into: DataView, at: number, policy: CopyPolicy, onlyLocalPeers: boolean): void {
  into.setUint16(at + POLICY.clientHead, Math.min(policy.clientHead, HEAD_LIMIT), true)
  into.setUint16(at + POLICY.serverHead, Math.min(policy.serverHead, HEAD_LIMIT), true)
  into.setUint16(at + POLICY.clientTail, Math.min(policy.clientTail, TAIL_LIMIT), true)
  into.setUint16(at + POLICY.serverTail, Math.min(policy.serverTail, TAIL_LIMIT), true)
  into.setUint8(at + POLICY.countOnly, policy.countOnly ? 1 : 0)
  into.setUint8(at + POLICY.onlyLocalPeers, onlyLocalPeers ? 1 : 0)
}
