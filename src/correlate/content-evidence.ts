import { Attribute } from '../protocols/attribute-names.js'
import type { ContentKey } from '../protocols/protocol.js'
import type { Sample } from '../samples/sample.js'
import type { Evidence, EvidenceSource } from './link.js'

/** One message was sent with this identifier: whoever consumes it got that one. */
const UNIQUE_STRENGTH = 0.999
/** Several were sent with it: the order of sending and the order of delivery decide, less surely. */
const ORDERED_STRENGTH = 0.9
/** An answer of which only the question was seen to be sent: the one who sent it is caused by the question, not its sender. */
const QUESTION_STRENGTH = 0.99

/** Equal messages that are told apart by their order. */
const MOST_EQUAL = 200
/** Messages that are said to be one thing, and yet are remembered: an answer names the question, not itself. */
const NOT_THE_MESSAGE = new Set(['traceparent', 'b3', 'oslo-call', 'oslo-answer', 'amqp-call', 'amqp-answer'])

interface Sent {
  readonly producers: Sample[]
  /** How many deliveries of this key each queue has had: the n-th goes with the n-th sent. */
  readonly delivered: Map<string, number>
}

interface Found {
  readonly parent: Sample
  readonly strength: number
}

/**
 * A message that was sent and a message that was consumed carry the same identifiers: the producer's sample is the
 * parent. One message may have many consumers; equal messages are told apart by their order in each queue. What answers
 * a message was caused by it. Identifiers of scope 'group' never make a parent.
 */
export function createContentEvidence(limit = 20_000): EvidenceSource & { readonly size: number } {
  const sentByKey = new Map<string, Sent>()
  const parentOf = new WeakMap<Sample, Found>()

  const remember = (sample: Sample): void => {
    for (const key of sample.exchange.contentKeys) {
      if (!namesMessage(key)) continue
      const name = nameOf(key)
      let sent = sentByKey.get(name)
      if (sent === undefined) {
        if (sentByKey.size >= limit) sentByKey.delete(sentByKey.keys().next().value!)
        sent = { producers: [], delivered: new Map() }
        sentByKey.set(name, sent)
      }
      if (sent.producers.length < MOST_EQUAL && !sent.producers.includes(sample)) sent.producers.push(sample)
    }
  }
  const match = (sample: Sample): Found | undefined => {
    let best: Found | undefined
    for (const key of sample.exchange.contentKeys) {
      if (!namesMessage(key)) continue
      const sent = sentByKey.get(nameOf(key))
      if (sent === undefined) continue
      const queue = queueOf(sample)
      const nth = sent.delivered.get(queue) ?? 0
      sent.delivered.set(queue, nth + 1)
      const alone = sent.producers.length === 1
      const strength = alone ? UNIQUE_STRENGTH : ORDERED_STRENGTH
      if (best !== undefined && best.strength >= strength) continue
      best = { parent: sent.producers[Math.min(nth, sent.producers.length - 1)]!, strength }
    }
    return best
  }
  return {
    kind: 'content',
    requested: sample => {
      if (sample.kind === 'producer' && isClients(sample)) remember(sample)
    },
    complete: sample => {
      // Some identifiers are the broker's, and come with its answer.
      if (sample.kind === 'producer' && isClients(sample)) remember(sample)
    },
    candidates: (sample, out: Evidence[]) => {
      if (!isClients(sample)) return
      const { answers } = sample
      if (sample.kind === 'producer') {
        if (answers !== undefined) out.push({ kind: 'content', parent: answers, strength: UNIQUE_STRENGTH })
        return
      }
      if (sample.kind !== 'consumer') return
      let found = parentOf.get(sample)
      if (found === undefined) {
        found = match(sample)
        if (found !== undefined) parentOf.set(sample, found)
        // Whoever sent an answer may still turn up.
        else if (answers !== undefined && sample.complete) found = { parent: answers, strength: QUESTION_STRENGTH }
        else return
      }
      out.push({ kind: 'content', parent: found.parent, strength: found.strength })
    },
    get size() {
      return sentByKey.size
    },
  }
}

/** The broker's own ends only hand on: cause and effect are with its clients. */
function isClients(sample: Sample): boolean {
  return sample.connection.role === 'client'
}

function namesMessage(key: ContentKey): boolean {
  return key.scope === 'one' && !NOT_THE_MESSAGE.has(key.type)
}

const nameOf = (key: ContentKey): string => `${key.type}\0${key.value}`

function queueOf({ exchange }: Sample): string {
  const queue = exchange.attributes[Attribute.messagingDestinationSubscriptionName]
  return typeof queue === 'string' ? queue : exchange.name
}
