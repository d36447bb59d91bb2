import { ApiKey } from './apis.js'
import { type KafkaCall, noteError } from './call.js'
import type { Dialogue } from './dialogue.js'
import type { TopicNames } from './topic-names.js'
import type { WireReader } from './wire-reader.js'

const NO_ID = '00000000-0000-0000-0000-000000000000'

/** An answer to anything but a Fetch, behind its correlation id: errors, offsets, names of topics. */
export function readAnswer(call: KafkaCall, reader: WireReader, dialogue: Dialogue): void {
  const { api, version } = call
  // The answer to ApiVersions has the first form of the header in all versions, so that everybody can read it.
  if (api.key !== ApiKey.apiVersions) reader.tags()
  switch (api.key) {
    case ApiKey.produce:
      readProduce(call, reader, dialogue)
      return
    case ApiKey.metadata:
      if (version >= 10) readMetadata(reader, dialogue.names)
      return
    case ApiKey.createTopics:
      readCreateTopics(call, reader, dialogue.names)
      return
    case ApiKey.offsetCommit:
      readOffsetCommit(call, reader)
      return
    case ApiKey.findCoordinator:
      if (version >= 1) reader.skip(4)
      if (version <= 3) readError(call, reader)
      return
    default:
      readFirstError(call, reader)
  }
}

function readFirstError(call: KafkaCall, reader: WireReader): void {
  const { errorBehindThrottleFrom: from } = call.api
  // Adding partitions has one error for all from version 4 on.
  const isBatch = call.api.name === 'AddPartitionsToTxn' && call.version >= 4
  if (from === undefined && !isBatch) return
  if (isBatch || call.version >= from!) reader.skip(4)
  readError(call, reader)
}

function readError(call: KafkaCall, reader: WireReader): void {
  const code = reader.int16()
  if (!reader.failed) noteError(call, code)
}

function readProduce(call: KafkaCall, reader: WireReader, dialogue: Dialogue): void {
  const { version } = call
  const topics = reader.count()
  for (let t = 0; t < topics && !reader.failed; t++) {
    const topic = version >= 13 ? reader.uuid() : (reader.text() ?? '')
    const partitions = reader.count()
    for (let p = 0; p < partitions && !reader.failed; p++) {
      const partition = reader.int32()
      const error = reader.int16()
      const baseOffset = reader.int64()
      // Append time, first offset of the log.
      reader.skip((version >= 2 ? 8 : 0) + (version >= 5 ? 8 : 0))
      if (version >= 8) skipRecordErrors(reader)
      reader.tags()
      if (reader.failed) return
      noteError(call, error)
      dialogue.produced(call, topic, partition, error, baseOffset)
    }
    reader.tags()
  }
}

function skipRecordErrors(reader: WireReader): void {
  const errors = reader.count()
  for (let k = 0; k < errors && !reader.failed; k++) {
    reader.skip(4)
    reader.skipText()
    reader.tags()
  }
  reader.skipText()
}

function readMetadata(reader: WireReader, names: TopicNames): void {
  reader.skip(4)
  const brokers = reader.count()
  for (let b = 0; b < brokers && !reader.failed; b++) {
    reader.skip(4)
    reader.skipText()
    reader.skip(4)
    reader.skipText()
    reader.tags()
  }
  reader.skipText()
  reader.skip(4)
  const topics = reader.count()
  for (let t = 0; t < topics && !reader.failed; t++) {
    reader.skip(2)
    const name = reader.text()
    const id = reader.uuid()
    // Names are null where ids that nobody has were asked for.
    if (!reader.failed && name && id !== NO_ID) names.learn(id, name)
    reader.skip(1)
    const partitions = reader.count()
    for (let p = 0; p < partitions && !reader.failed; p++) skipPartition(reader)
    // What the client may do.
    reader.skip(4)
    reader.tags()
  }
}

function skipPartition(reader: WireReader): void {
  // Error, number, leader, its epoch.
  reader.skip(14)
  for (let list = 0; list < 3; list++) reader.skip(4 * Math.max(0, reader.count()))
  reader.tags()
}

function readCreateTopics(call: KafkaCall, reader: WireReader, names: TopicNames): void {
  const { version } = call
  if (version >= 2) reader.skip(4)
  const topics = reader.count()
  for (let t = 0; t < topics && !reader.failed; t++) {
    const name = reader.text()
    const id = version >= 7 ? reader.uuid() : NO_ID
    readError(call, reader)
    if (reader.failed) return
    if (name && id !== NO_ID) names.learn(id, name)
    if (version >= 1) reader.skipText()
    if (version >= 5) skipTopicConfigs(reader)
    reader.tags()
  }
}

function skipTopicConfigs(reader: WireReader): void {
  reader.skip(6)
  const configs = reader.count()
  for (let k = 0; k < configs && !reader.failed; k++) {
    reader.skipText()
    reader.skipText()
    reader.skip(3)
    reader.tags()
  }
}

function readOffsetCommit(call: KafkaCall, reader: WireReader): void {
  const { version } = call
  if (version >= 3) reader.skip(4)
  const topics = reader.count()
  for (let t = 0; t < topics && !reader.failed; t++) {
    if (version >= 10) reader.uuid()
    else reader.skipText()
    const partitions = reader.count()
    for (let p = 0; p < partitions && !reader.failed; p++) {
      reader.skip(4)
      readError(call, reader)
      reader.tags()
    }
    reader.tags()
  }
}
