import type { ContentKey } from '../protocols/protocol.js'
import type { Sample } from '../samples/sample.js'
import type { Evidence, EvidenceSource } from './link.js'

/** A key that names one operation, found at both ends of a broker, stands alone this often. */
const UNIQUE_STRENGTH = 0.99
/** The same key on several producers: the order of sending and the order of delivery decide, less surely. */
const ORDERED_STRENGTH = 0.9

interface Sent {
  readonly producers: Sample[]
  /** How many deliveries of this key each destination has had: the n-th goes with the n-th sent. */
  readonly delivered: Map<string, number>
}

/**
 * A message that was sent and a message that was consumed carry the same identifiers: the producer's sample is the
 * parent. One message may have many consumers; equal messages are told apart by their order in each queue.
 * Keys of scope 'group' never make a parent.
 */
export function createContentEvidence(limit = 20_000): EvidenceSource & { readonly size: number } {
  const sentByKey = new Map<string, Sent>()
  const parentOf = new WeakMap<Sample, { parent: Sample; strength: number }>()
  /** The broker's own ends only hand on: cause and effect are with its clients. */
  const isClients = (sample: Sample): boolean => sample.connection.role === 'client'
  const keysOf = (sample: Sample): ContentKey[] =>
    sample.exchange.contentKeys.filter(key => key.scope === 'one' && key.type !== 'traceparent')

  const remember = (sample: Sample): void => {
    for (const key of keysOf(sample)) {
      const name = `${key.type}\0${key.value}`
      let sent = sentByKey.get(name)
      if (sent === undefined) {
        if (sentByKey.size >= limit) sentByKey.delete(sentByKey.keys().next().value!)
        sent = { producers: [], delivered: new Map() }
        sentByKey.set(name, sent)
      }
      if (sent.producers.length < 200) sent.producers.push(sample)
    }
  }
  const match = (sample: Sample): { parent: Sample; strength: number } | undefined => {
    for (const key of keysOf(sample)) {
      const sent = sentByKey.get(`${key.type}\0${key.value}`)
      if (sent === undefined || sent.producers.length === 0) continue
      const queue = sample.exchange.name
      const nth = sent.delivered.get(queue) ?? 0
      sent.delivered.set(queue, nth + 1)
      const alone = sent.producers.length === 1
      const parent = sent.producers[Math.min(nth, sent.producers.length - 1)]!
      return { parent, strength: alone ? UNIQUE_STRENGTH : ORDERED_STRENGTH }
    }
    return undefined
  }
  return {
    kind: 'content',
    complete: sample => {
      if (sample.kind === 'producer' && isClients(sample)) remember(sample)
    },
    candidates: (sample, out: Evidence[]) => {
      if (sample.kind !== 'consumer' || !isClients(sample)) return
      let found = parentOf.get(sample)
      if (found === undefined) {
        found = match(sample)
        if (found === undefined) return
        parentOf.set(sample, found)
      }
      out.push({ kind: 'content', parent: found.parent, strength: found.strength })
    },
    get size() {
      return sentByKey.size
    },
  }
}
