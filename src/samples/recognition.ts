import { Op } from '../capture/event-layout.js'
import type { EventReader } from '../capture/event-reader.js'
import type { InputStream } from '../protocols/input-stream.js'
import type { ProtocolModule, Sender } from '../protocols/protocol.js'

/** Bytes after which a "maybe" that has not become a "yes" is a no. */
const ENOUGH = 256

/**
 * The module whose protocol the stream's next bytes belong to; 'wait' while too few are there; undefined if none.
 * A module that says the other end must have sent them does not fit.
 */
export function recogniseProtocol(
  modules: readonly ProtocolModule[],
  stream: InputStream,
  sender: Sender,
): ProtocolModule | 'wait' | undefined {
  let maybe = false
  const end = Math.min(stream.end, stream.start + ENOUGH)
  for (const module of modules) {
    const detection = module.detect(stream.bytes, stream.start, end)
    if (detection.match === 'no' || (detection.sender !== undefined && detection.sender !== sender)) continue
    if (detection.match === 'yes') return module
    maybe = true
  }
  return maybe && stream.available < ENOUGH && stream.hole === 0 ? 'wait' : undefined
}

/** Which part this end plays by the bytes of this record, if a protocol is sure of who sends such bytes. */
export function roleShownBy(modules: readonly ProtocolModule[], record: EventReader): Sender | undefined {
  const { bytes, payload, headLength } = record
  for (const module of modules) {
    const { match, sender } = module.detect(bytes, payload, payload + headLength)
    if (match === 'yes' && sender !== undefined)
      return (record.op === Op.send) === (sender === 'client') ? 'client' : 'server'
  }
  return undefined
}
