import type { InputStream } from '../input-stream.js'
import { utf8 } from '../utf8.js'
import { ApiKey } from './apis.js'
import { createCall, type KafkaCall, nameGroup } from './call.js'
import { detect } from './detect.js'
import type { Dialogue } from './dialogue.js'
import { createMessage, type KafkaMessage, nameTopic, type Topic } from './message.js'
import { type BatchHandler, PartitionReader } from './partition-reader.js'
import { batchKey, type RecordBatch } from './record-batch.js'
import { readGroup } from './request-bodies.js'
import { REQUEST_HEADER, readRequestHeader } from './request-header.js'
import { WireReader } from './wire-reader.js'

/** Bytes behind the client id that are looked at where only what a request is about matters. */
const BODY_LOOK = 512
/** Calls in a row that hold no request before the connection is given up. */
const MOST_LOST = 1000
/** A broker that copies partitions calls itself so: from version 15 on nothing else at a fixed place tells. */
const REPLICA = /^broker-\d+-fetcher-\d+$/

const reader = new WireReader()

/** What the client says: requests, and the batches that they carry. */
export class ClientRequests implements BatchHandler {
  readonly #dialogue: Dialogue
  readonly #partitions: PartitionReader
  #stream: InputStream | undefined
  /** The request that is being read, and where it ends. */
  #call: KafkaCall | undefined
  #end = 0
  #readsPartitions = false
  /** The next bytes are known to begin a request. */
  #synced: boolean
  #lost = 0

  constructor(dialogue: Dialogue, joined: boolean) {
    this.#dialogue = dialogue
    this.#synced = !joined
    this.#partitions = new PartitionReader(false, this)
  }

  read(stream: InputStream): void {
    this.#stream = stream
    while (!stream.skipping && !this.#dialogue.failed) {
      if (this.#call === undefined) {
        if (!this.#request(stream)) break
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
    const message = createMessage(this.#call!, topic, partition, batch)
    nameTopic(message, this.#dialogue.names)
    message.contentKeys.push({ type: 'kafka-batch', value: batchKey(batch, partition, bytes, start), scope: 'one' })
    this.#call!.messages.push(message)
    this.#dialogue.begin(message, this.#stream!.position)
    return message
  }

  batchEnd(message: KafkaMessage): void {
    this.#dialogue.batchRead(message)
    const { position } = this.#stream!
    if (this.#partitions.acks === 0) this.#dialogue.end(message, position)
    else this.#dialogue.messageSent(message, position)
  }

  missed(cause: string): void {
    this.#dialogue.count(cause)
    if (cause !== 'records.not_unpacked') this.#call!.truncated = true
  }

  error(): void {}

  /** Each returns false when more bytes are needed, or none of those here can be read. */
  #goOn(stream: InputStream, call: KafkaCall): boolean {
    if (this.#readsPartitions) {
      const progress = this.#partitions.read(stream)
      if (progress === 'more') return false
      this.#readsPartitions = false
      if (progress === 'lost') {
        this.#dialogue.count('request.not_followed')
        call.truncated = true
      }
      stream.skip(this.#end - stream.position)
      if (stream.skipping) return false
    }
    this.#call = undefined
    if (call.api.key === ApiKey.produce && this.#partitions.acks === 0 && !call.answered) {
      this.#dialogue.unanswered(call)
      this.#dialogue.answerEnded(call, stream.position)
    } else this.#dialogue.requestEnded(call, stream.position)
    return true
  }

  #request(stream: InputStream): boolean {
    const { bytes, start, available } = stream
    if (available < REQUEST_HEADER) return stream.hole > 0 ? this.#lose(stream) : false
    const header = readRequestHeader(bytes, start)
    if (header === undefined) return this.#lose(stream)
    if (!this.#synced && detect(bytes, start, Math.min(stream.end, start + 256)).match === 'no')
      return this.#lose(stream)
    const { api, version, total, correlationId } = header
    const bodyAt = REQUEST_HEADER + Math.max(0, header.clientIdLength)
    const isProduce = api.key === ApiKey.produce && version <= api.newest
    // Tags of a flexible header stand between the client id and the body; nobody sends any.
    const looked = Math.min(total, isProduce ? bodyAt + 1 : bodyAt + BODY_LOOK)
    const hidden = available < looked
    if (hidden && stream.hole === 0 && !stream.ended) return false
    if (available < bodyAt) return this.#lose(stream)
    this.#lost = 0
    this.#synced = true
    const clientId = header.clientIdLength < 0 ? undefined : utf8(bytes, start + REQUEST_HEADER, start + bodyAt)
    const call = createCall(api, version, correlationId, clientId)
    const flexible = version >= api.flexibleFrom
    reader.begin(bytes, start + bodyAt, start + Math.min(available, looked), flexible)
    reader.tags()
    this.#call = call
    this.#end = stream.position + total
    this.#dialogue.requested(call, stream.position)
    if (isProduce && !reader.failed) {
      this.#readsPartitions = true
      this.#partitions.begin(version, flexible, this.#end)
      stream.consume(reader.at - start)
      return true
    }
    this.#partitions.acks = 1
    if (version <= api.newest) {
      nameGroup(call, readGroup(call, reader))
      if (api.key === ApiKey.fetch) call.isReplica = isReplica(call, reader)
    }
    stream.skip(total)
    return true
  }

  /** Whatever is here cannot be read: the next call may begin with a request. Always false. */
  #lose(stream: InputStream): false {
    if (this.#synced) this.#dialogue.count('resync')
    this.#synced = false
    if (++this.#lost > MOST_LOST) this.#dialogue.giveUp()
    stream.resume()
    return false
  }
}

/** Until version 14 a Fetch begins with the id of the broker that asks, -1 for consumers. */
function isReplica(call: KafkaCall, body: WireReader): boolean {
  if (call.version >= 15) return call.clientId !== undefined && REPLICA.test(call.clientId)
  const replica = body.int32()
  return !body.failed && replica >= 0
}
