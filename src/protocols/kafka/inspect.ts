import { Attribute } from '../attribute-names.js'
import { keyHash } from '../key-hash.js'
import { latin1 } from '../latin1.js'
import { addEnvelopeKeys, createEnvelopeIds, type EnvelopeIds, isEnvelope, scanEnvelope } from '../oslo/envelope.js'
import { operationIn } from '../oslo/operation.js'
import type { Exchange } from '../protocol.js'
import { unpack } from './compression.js'
import { type KafkaMessage, nameCount, nameEvent } from './message.js'
import { RECORDS_SEEN, recordsKey } from './record-batch.js'
import { packedValue, type RecordVisitor, readOldMessage, readOldSet, readRecords } from './records.js'

/** Records of a batch that are looked at. */
const MOST_RECORDS = 64
/** Identifiers of single records that one batch's keys hold. */
const MOST_KEYS = 16

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}/

/** Looks at the records of one batch after the other, for what identifies them. Nothing of them is kept. */
class Inspector implements RecordVisitor {
  message: KafkaMessage | undefined
  end = 0
  /** Of an envelope that goes on behind what was there. */
  open: EnvelopeIds | undefined
  #keys = 0

  begin(message: KafkaMessage, end: number): void {
    this.message = message
    this.end = end
    this.open = undefined
    this.#keys = 0
  }

  record(
    _index: number,
    bytes: Uint8Array,
    keyStart: number,
    keyLength: number,
    valueStart: number,
    valueLength: number,
  ): void {
    const message = this.message!
    if (message.count === 1) {
      const { attributes } = message
      if (keyLength >= 0) attributes[Attribute.ghostspanMessageKeyHash] = keyHash(bytes, keyStart, keyStart + keyLength)
      if (valueLength < 0) attributes[Attribute.kafkaMessageTombstone] = true
    }
    const valueEnd = Math.min(this.end, valueStart + valueLength)
    if (!isEnvelope(bytes, valueStart, valueEnd) || this.#keys >= MOST_KEYS) return
    const operation = message.count === 1 ? operationIn(bytes, valueStart, valueEnd) : undefined
    if (operation?.kind === 'notification') nameEvent(message, operation.name)
    const ids = createEnvelopeIds()
    scanEnvelope(bytes, valueStart, valueEnd, ids)
    if (valueEnd < valueStart + valueLength) this.open = ids
    else this.#add(ids)
  }

  header(bytes: Uint8Array, nameStart: number, nameLength: number, valueStart: number, valueLength: number): void {
    if (nameLength !== 11 || valueLength < 55 || valueLength > 128 || this.#keys >= MOST_KEYS) return
    if (latin1(bytes, nameStart, nameStart + 11).toLowerCase() !== 'traceparent') return
    const value = latin1(bytes, valueStart, valueStart + valueLength)
    if (!TRACEPARENT.test(value)) return
    this.#keys++
    this.message!.contentKeys.push({ type: 'traceparent', value, scope: 'one' })
  }

  #add(ids: EnvelopeIds): void {
    this.#keys++
    addEnvelopeKeys(ids, this.message!.contentKeys)
  }
}

const inspector = new Inspector()

/** What became of looking at a batch's records. */
export interface Inspection {
  /** An envelope whose rest comes later, with what was found so far. */
  readonly open: EnvelopeIds | undefined
  /** The records are compressed and could not be unpacked. */
  readonly unread: boolean
}

const DONE: Inspection = { open: undefined, unread: false }
const UNREAD: Inspection = { open: undefined, unread: true }

/**
 * Looks at what stands behind a batch's header, bytes[start, end); `whole`: that is all of it. Adds keys and attributes
 * to the message.
 */
export function inspect(
  message: KafkaMessage,
  bytes: Uint8Array,
  start: number,
  end: number,
  whole: boolean,
): Inspection {
  const { batch, partition } = message
  if (batch.magic === 2 && (whole || end - start >= RECORDS_SEEN)) {
    const value = recordsKey(batch, partition, bytes, start, end)
    message.contentKeys.push({ type: 'kafka-records', value, scope: 'one' })
  }
  inspector.begin(message, end)
  if (batch.codec === 0) {
    if (batch.magic === 2) readRecords(bytes, start, end, Math.min(batch.count, MOST_RECORDS), inspector)
    else readOldMessage(bytes, start, end, inspector)
    return inspector.open === undefined ? DONE : { open: inspector.open, unread: false }
  }
  if (!whole) return UNREAD
  const packed = batch.magic === 2 ? ([start, end] as const) : packedValue(bytes, start, end)
  const unpacked = packed === undefined ? undefined : unpack(batch.codec, bytes, packed[0], packed[1])
  if (unpacked === undefined) return UNREAD
  inspector.end = unpacked.length
  if (batch.magic === 2) {
    readRecords(unpacked, 0, unpacked.length, Math.min(batch.count, MOST_RECORDS), inspector)
  } else {
    nameCount(message, readOldSet(unpacked, 0, unpacked.length, 0, inspector))
    readOldSet(unpacked, 0, unpacked.length, MOST_RECORDS, inspector)
  }
  return DONE
}

/** A later piece of an envelope. */
export function inspectRest(ids: EnvelopeIds, bytes: Uint8Array, start: number, end: number): void {
  scanEnvelope(bytes, start, end, ids)
}

export function finishEnvelope(ids: EnvelopeIds, exchange: Exchange): void {
  addEnvelopeKeys(ids, exchange.contentKeys)
}
