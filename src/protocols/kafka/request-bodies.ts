import { ApiKey } from './apis.js'
import type { KafkaCall } from './call.js'
import type { WireReader } from './wire-reader.js'

const GROUP_KEY = 0

/** The consumer group that a request names, its body at the reader; undefined: none, or it was not seen. */
export function readGroup(call: KafkaCall, reader: WireReader): string | undefined {
  const group = groupAt(call, reader)
  return reader.failed ? undefined : group
}

function groupAt({ api, version }: KafkaCall, reader: WireReader): string | undefined {
  switch (api.key) {
    case ApiKey.offsetCommit:
    case ApiKey.joinGroup:
    case ApiKey.heartbeat:
    case ApiKey.leaveGroup:
    case ApiKey.syncGroup:
    case ApiKey.consumerGroupHeartbeat:
      return reader.text()
    case ApiKey.offsetFetch:
      if (version >= 8) reader.count()
      return reader.text()
    case ApiKey.txnOffsetCommit:
      reader.skipText()
      return reader.text()
    case ApiKey.addOffsetsToTxn:
      reader.skipText()
      // Producer id and epoch.
      reader.skip(10)
      return reader.text()
    case ApiKey.findCoordinator:
      return coordinatorKey(version, reader)
    default:
      return undefined
  }
}

function coordinatorKey(version: number, reader: WireReader): string | undefined {
  if (version >= 4) {
    const kind = reader.int8()
    reader.count()
    return kind === GROUP_KEY ? reader.text() : undefined
  }
  const key = reader.text()
  return version === 0 || reader.int8() === GROUP_KEY ? key : undefined
}
