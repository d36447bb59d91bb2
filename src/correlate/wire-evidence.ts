import type { Sample } from '../samples/sample.js'
import type { Evidence, EvidenceSource } from './link.js'
import { createSamplesByWireKey, type SamplesByWireKey } from './samples-by-wire-key.js'

export interface WireEvidence extends EvidenceSource {
  /** The sample of the same operation at the other end of its connection, if it was seen. */
  otherEnd(sample: Sample): Sample | undefined
  readonly size: number
}

/**
 * Both ends of a connection give an operation the same wire key, so the client's sample is the server's parent: the one
 * kind of evidence that is never a guess.
 */
export function createWireEvidence(): WireEvidence {
  const clients = createSamplesByWireKey()
  const servers = createSamplesByWireKey()
  const sideOf = (sample: Sample): SamplesByWireKey => (sample.side === 'client' ? clients : servers)
  const keyed = (sample: Sample): boolean => sample.wireHigh !== 0 || sample.wireLow !== 0
  const add = (sample: Sample): void => {
    if (keyed(sample)) sideOf(sample).set(sample)
  }
  const otherEnd = (sample: Sample): Sample | undefined => {
    if (!keyed(sample)) return undefined
    const other = (sample.side === 'client' ? servers : clients).get(sample.wireHigh, sample.wireLow)
    return other !== undefined && other.connection.id !== sample.connection.id ? other : undefined
  }
  return {
    kind: 'wire',
    begin: add,
    // A Unix socket's peer may become known only later.
    keyed: add,
    candidates: (sample: Sample, out: Evidence[]) => {
      if (sample.side !== 'server') return
      const parent = otherEnd(sample)
      if (parent !== undefined) out.push({ kind: 'wire', parent, strength: 1 })
    },
    forget: sample => {
      if (keyed(sample)) sideOf(sample).delete(sample)
    },
    otherEnd,
    get size() {
      return clients.size + servers.size
    },
  }
}
