import type { InputStream } from '../input-stream.js'
import type { EnvelopeIds } from '../oslo/envelope.js'
import { finishEnvelope, inspect, inspectRest } from './inspect.js'
import type { KafkaMessage, Topic } from './message.js'
import { headerOfBatch, MAGIC_SEEN, RECORDS_SEEN, type RecordBatch, readBatch, sizeOfBatch } from './record-batch.js'
import { WireReader } from './wire-reader.js'

/** Whoever is told of the batches in a request or an answer, while the stream stands at them. */
export interface BatchHandler {
  /** The batch that begins at bytes[start], where the stream stands. Undefined: it is none of anybody's concern. */
  batch(topic: Topic, partition: number, batch: RecordBatch, bytes: Uint8Array, start: number): KafkaMessage | undefined
  /** Its last byte has passed: the stream stands behind it. */
  batchEnd(message: KafkaMessage): void
  /** Records of this cause were not looked at, or not found. */
  missed(cause: string): void
  /** A partition's error, or the one of the whole answer. */
  error(code: number): void
}

/** more: bytes are missing; done: what follows is of no interest; lost: it cannot be read, or was not seen. */
export type Progress = 'more' | 'done' | 'lost'

/** Bytes of uncompressed records that are looked at, from a batch's start; compressed ones must be here whole. */
const LOOK = 16_384
const PACKED_LOOK = 32_768
/** … and from its end, for identifiers that come last. */
const TAIL = 4096
/** Longest head of a topic or a partition that is waited for. */
const ELEMENT_LIMIT = 16_384

const PRELUDE = 0
const TOPIC = 1
const PARTITION = 2
const BATCH = 3
const BODY = 4
const REST = 5
const BODY_END = 6
const PARTITION_END = 7
const TOPIC_END = 8
const DONE = 9

/**
 * Topics, partitions and batches of one Produce request or Fetch answer after the other, read as they arrive: both are
 * lists of topics that hold lists of partitions that hold batches.
 */
export class PartitionReader {
  /** Of the Produce request: answers that the client wants. */
  acks = 1
  readonly #handler: BatchHandler
  readonly #isFetch: boolean
  readonly #reader = new WireReader()
  #state = DONE
  #version = 0
  #flexible = false
  /** Stream offset behind the message. */
  #end = 0
  #topicsLeft = 0
  #partitionsLeft = 0
  #topic: Topic = { name: undefined, id: undefined }
  #partition = 0
  #recordsLeft = 0
  #bodyLeft = 0
  #message: KafkaMessage | undefined
  #batch: RecordBatch | undefined
  #envelope: EnvelopeIds | undefined

  constructor(isFetch: boolean, handler: BatchHandler) {
    this.#isFetch = isFetch
    this.#handler = handler
  }

  begin(version: number, flexible: boolean, end: number): void {
    this.#version = version
    this.#flexible = flexible
    this.#end = end
    this.#state = PRELUDE
    this.acks = 1
    this.#message = undefined
    this.#envelope = undefined
  }

  read(stream: InputStream): Progress {
    for (;;) {
      if (stream.skipping) return 'more'
      let progress: Progress
      switch (this.#state) {
        case BATCH:
          progress = this.#readBatch(stream)
          break
        case BODY:
          progress = this.#readBody(stream)
          break
        case REST:
          progress = this.#readRest(stream)
          break
        case BODY_END:
          progress = this.#endBody()
          break
        case DONE:
          return 'done'
        default:
          progress = this.#readElement(stream)
      }
      if (progress !== 'done') return progress
    }
  }

  /** What stands between the batches. 'done' here and below: the next state is reached. */
  #readElement(stream: InputStream): Progress {
    const reader = this.#reader
    const left = this.#end - stream.position
    const { bytes, start, available } = stream
    reader.begin(bytes, start, start + Math.min(available, left), this.#flexible)
    const next = this.#parse(reader)
    if (reader.wrong) return 'lost'
    if (reader.short) {
      const isAll = available >= left || stream.hole > 0 || stream.ended || available > ELEMENT_LIMIT
      return isAll ? 'lost' : 'more'
    }
    stream.consume(reader.at - start)
    if (this.#recordsLeft > this.#end - stream.position) return 'lost'
    this.#state = next
    return 'done'
  }

  /** Returns the state that follows if all could be read. */
  #parse(reader: WireReader): number {
    switch (this.#state) {
      case PRELUDE:
        if (this.#isFetch) this.#fetchPrelude(reader)
        else this.#producePrelude(reader)
        this.#topicsLeft = reader.count()
        return this.#topicsLeft > 0 ? TOPIC : DONE
      case TOPIC:
        this.#topic =
          this.#version >= 13 ? { name: undefined, id: reader.uuid() } : { name: reader.text(), id: undefined }
        this.#partitionsLeft = reader.count()
        return this.#partitionsLeft > 0 ? PARTITION : TOPIC_END
      case PARTITION:
        this.#partition = reader.int32()
        if (this.#isFetch) this.#fetchPartition(reader)
        this.#recordsLeft = Math.max(0, reader.count())
        return this.#recordsLeft > 0 ? BATCH : PARTITION_END
      case PARTITION_END:
        reader.tags()
        if (reader.failed) return PARTITION_END
        return --this.#partitionsLeft > 0 ? PARTITION : TOPIC_END
      default:
        reader.tags()
        if (reader.failed) return TOPIC_END
        return --this.#topicsLeft > 0 ? TOPIC : DONE
    }
  }

  #producePrelude(reader: WireReader): void {
    if (this.#version >= 3) reader.skipText()
    this.acks = reader.int16()
    reader.skip(4)
  }

  #fetchPrelude(reader: WireReader): void {
    if (this.#flexible) reader.tags()
    if (this.#version >= 1) reader.skip(4)
    if (this.#version < 7) return
    const error = reader.int16()
    reader.skip(4)
    if (!reader.failed) this.#handler.error(error)
  }

  #fetchPartition(reader: WireReader): void {
    const error = reader.int16()
    reader.skip(8)
    if (this.#version >= 4) {
      reader.skip(this.#version >= 5 ? 16 : 8)
      const aborted = reader.count()
      for (let k = 0; k < aborted && !reader.failed; k++) {
        reader.skip(16)
        reader.tags()
      }
    }
    if (this.#version >= 11) reader.skip(4)
    if (!reader.failed) this.#handler.error(error)
  }

  #readBatch(stream: InputStream): Progress {
    const { bytes, start, available } = stream
    const left = this.#recordsLeft
    // Brokers cut the last batch of a partition where their limit is reached; readers throw it away.
    if (left < MAGIC_SEEN) return this.#passRecords(stream)
    if (available < MAGIC_SEEN) return this.#waitForBatch(stream)
    const header = headerOfBatch(bytes, start)
    const size = sizeOfBatch(bytes, start)
    if (header === 0 || size < header) {
      this.#handler.missed('batch.malformed')
      return this.#passRecords(stream)
    }
    if (size > left) return this.#passRecords(stream)
    if (available < header) return this.#waitForBatch(stream)
    const batch = readBatch(bytes, start)
    this.#batch = batch
    this.#message = this.#handler.batch(this.#topic, this.#partition, batch, bytes, start)
    this.#recordsLeft -= size
    this.#bodyLeft = size - header
    stream.consume(header)
    this.#state = BODY
    return 'done'
  }

  #waitForBatch(stream: InputStream): Progress {
    if (stream.hole === 0) return 'more'
    this.#handler.missed('batch.not_seen')
    return this.#passRecords(stream)
  }

  #passRecords(stream: InputStream): Progress {
    stream.skip(this.#recordsLeft)
    this.#recordsLeft = 0
    this.#state = PARTITION_END
    return 'done'
  }

  #readBody(stream: InputStream): Progress {
    const { bytes, start, available } = stream
    const message = this.#message
    const isPacked = this.#batch!.codec !== 0
    const isTooLong = isPacked && this.#bodyLeft > PACKED_LOOK
    const look =
      message === undefined ? 0 : Math.min(this.#bodyLeft, isTooLong ? RECORDS_SEEN : isPacked ? PACKED_LOOK : LOOK)
    if (available < look && stream.hole === 0 && !stream.ended) return 'more'
    const here = Math.min(available, look)
    if (message !== undefined) {
      const { open, unread } = inspect(message, bytes, start, start + here, here === this.#bodyLeft)
      if (unread) this.#handler.missed('records.not_unpacked')
      this.#envelope = open
    }
    stream.consume(here)
    this.#bodyLeft -= here
    if (this.#envelope === undefined) {
      stream.skip(this.#bodyLeft)
      this.#state = BODY_END
    } else {
      if (this.#bodyLeft > TAIL) {
        stream.skip(this.#bodyLeft - TAIL)
        this.#bodyLeft = TAIL
      }
      this.#state = REST
    }
    return 'done'
  }

  #readRest(stream: InputStream): Progress {
    const { bytes, start, available } = stream
    if (available < this.#bodyLeft && stream.hole === 0 && !stream.ended) return 'more'
    const here = Math.min(available, this.#bodyLeft)
    inspectRest(this.#envelope!, bytes, start, start + here)
    stream.consume(here)
    this.#bodyLeft -= here
    if (this.#bodyLeft === 0) this.#state = BODY_END
    else {
      const inHole = Math.min(stream.hole, this.#bodyLeft)
      if (inHole === 0) return 'more'
      stream.skip(inHole)
      this.#bodyLeft -= inHole
      if (this.#bodyLeft === 0) this.#state = BODY_END
    }
    return 'done'
  }

  #endBody(): Progress {
    const message = this.#message
    if (message !== undefined) {
      if (this.#envelope !== undefined) finishEnvelope(this.#envelope, message)
      this.#handler.batchEnd(message)
    }
    this.#message = undefined
    this.#envelope = undefined
    this.#state = this.#recordsLeft > 0 ? BATCH : PARTITION_END
    return 'done'
  }
}
