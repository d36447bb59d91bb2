import type { InputStream } from '../input-stream.js'
import { readAnswer } from './answers.js'
import { ApiKey } from './apis.js'
import { type KafkaCall, noteError } from './call.js'
import type { Dialogue } from './dialogue.js'
import { createMessage, type KafkaMessage, nameOffset, nameTopic, type Topic } from './message.js'
import { type BatchHandler, PartitionReader } from './partition-reader.js'
import { batchKey, type RecordBatch } from './record-batch.js'
import { WireReader } from './wire-reader.js'

/** Length and correlation id. */
const RESPONSE_HEADER = 8
/** Bytes of an answer that are looked at, but for records. */
const ANSWER_LOOK = 16_384
/** fetch.max.bytes is 50 MiB by default; whoever changes it may have more. */
const LONGEST = 0x40000000

const reader = new WireReader()

/** What the broker says: answers, and the batches that they carry. */
export class ServerResponses implements BatchHandler {
  readonly #dialogue: Dialogue
  readonly #partitions: PartitionReader
  #stream: InputStream | undefined
  /** The answer that is being read, and where it ends. */
  #call: KafkaCall | undefined
  #end = 0
  #readsPartitions = false
  #readsBody = false
  /** The next bytes are known to begin an answer. */
  #synced: boolean

  constructor(dialogue: Dialogue, joined: boolean) {
    this.#dialogue = dialogue
    this.#synced = !joined
    this.#partitions = new PartitionReader(true, this)
  }

  read(stream: InputStream): void {
    this.#stream = stream
    while (!stream.skipping && !this.#dialogue.failed) {
      if (this.#call === undefined) {
        if (!this.#response(stream)) break
      } else if (!this.#goOn(stream, this.#call)) break
    }
    this.#stream = undefined
  }

  batch(
    topic: Topic,
    partition: number,
    batch: RecordBatch,
    bytes: Uint8Array,
    start: number,
  ): KafkaMessage | undefined {
    const call = this.#call!
    const isEmpty = batch.count === 0 && batch.codec === 0
    if (batch.control || isEmpty || call.isReplica) return undefined
    const message = createMessage(call, topic, partition, batch)
    nameTopic(message, this.#dialogue.names)
    message.contentKeys.push({ type: 'kafka-batch', value: batchKey(batch, partition, bytes, start), scope: 'one' })
    this.#dialogue.begin(message, this.#stream!.position)
    return message
  }

  batchEnd(message: KafkaMessage): void {
    this.#dialogue.batchRead(message)
    const { magic, codec, baseOffset } = message.batch
    // A compressed old message bears the offset of its last record.
    const behind = magic < 2 && codec !== 0 ? Math.max(0, message.count - 1) : 0
    nameOffset(message, baseOffset - behind, this.#dialogue.names)
    this.#dialogue.end(message, this.#stream!.position)
  }

  missed(cause: string): void {
    this.#dialogue.count(cause)
    if (cause !== 'records.not_unpacked') this.#call!.truncated = true
  }

  error(code: number): void {
    noteError(this.#call!, code)
  }

  /** Each returns false when more bytes are needed, or none of those here can be read. */
  #goOn(stream: InputStream, call: KafkaCall): boolean {
    if (this.#readsPartitions) {
      const progress = this.#partitions.read(stream)
      if (progress === 'more') return false
      this.#readsPartitions = false
      if (progress === 'lost') {
        this.#dialogue.count('answer.not_followed')
        call.truncated = true
      }
    } else if (this.#readsBody && !this.#body(stream, call)) return false
    stream.skip(this.#end - stream.position)
    if (stream.skipping) return false
    this.#call = undefined
    this.#dialogue.answerEnded(call, stream.position)
    return true
  }

  #response(stream: InputStream): boolean {
    const { bytes, start, available } = stream
    // The rest of an answer whose request was not seen.
    if (!this.#synced && !this.#dialogue.awaitsAnswer) return this.#lose(stream)
    if (available < RESPONSE_HEADER) return stream.hole > 0 ? this.#lose(stream) : false
    reader.begin(bytes, start, start + RESPONSE_HEADER, false)
    const length = reader.uint32()
    const correlationId = reader.int32()
    if (length < 4 || length > LONGEST) return this.#lose(stream)
    const call = this.#dialogue.answered(correlationId, stream.position)
    if (call === undefined) {
      if (!this.#synced) return this.#lose(stream)
      // The request was not seen.
      this.#dialogue.count('answer.unknown')
      stream.skip(4 + length)
      return true
    }
    this.#synced = true
    this.#call = call
    this.#end = stream.position + 4 + length
    stream.consume(RESPONSE_HEADER)
    this.#readsPartitions = call.api.key === ApiKey.fetch && call.version <= call.api.newest
    this.#readsBody = !this.#readsPartitions
    if (this.#readsPartitions) {
      this.#partitions.begin(call.version, call.version >= call.api.flexibleFrom, this.#end)
    }
    return true
  }

  /** An answer without records, looked at as far as it is there. False when more bytes are needed. */
  #body(stream: InputStream, call: KafkaCall): boolean {
    const { bytes, start, available } = stream
    const looked = Math.min(this.#end - stream.position, ANSWER_LOOK)
    if (available < looked && stream.hole === 0 && !stream.ended) return false
    const flexible = call.version >= call.api.flexibleFrom
    reader.begin(bytes, start, start + Math.min(available, looked), flexible)
    if (call.version <= call.api.newest) readAnswer(call, reader, this.#dialogue)
    this.#readsBody = false
    return true
  }

  /** Whatever is here cannot be read: the next call may begin with an answer. Always false. */
  #lose(stream: InputStream): false {
    if (this.#synced) this.#dialogue.count('resync')
    this.#synced = false
    stream.resume()
    return false
  }
}
