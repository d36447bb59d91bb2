import type { Detection } from '../protocol.js'
import { methodKind } from './methods.js'
import { FRAME_HEADER, Frame, isProtocolHeader, looksLikeFrame } from './parse.js'
import { uint32 } from './wire-types.js'

const NO: Detection = { match: 'no' }
const MAYBE: Detection = { match: 'maybe' }
const YES: Detection = { match: 'yes' }
const CLIENT: Detection = { match: 'yes', sender: 'client' }
const SERVER: Detection = { match: 'yes', sender: 'server' }
const MAYBE_CLIENT: Detection = { match: 'maybe', sender: 'client' }

const PROTOCOL_HEADER = [0x41, 0x4d, 0x51, 0x50, 0, 0, 9, 1]

/** The protocol header of 0-9-1 (AMQP 1.0 has another), or a frame whose method and end are right. */
export function detect(bytes: Uint8Array, start: number, end: number): Detection {
  const here = end - start
  if (here === 0) return NO
  if (bytes[start] === 0x41) {
    if (here >= 8) return isProtocolHeader(bytes, start) ? CLIENT : NO
    for (let k = 0; k < here; k++) if (bytes[start + k] !== PROTOCOL_HEADER[k]) return NO
    return MAYBE_CLIENT
  }
  const found = looksLikeFrame(bytes, start, end)
  if (found === 'no') return NO
  if (found === 'wait') return MAYBE
  if (bytes[start] !== Frame.method) return YES
  const sender = methodKind(uint32(bytes, start + FRAME_HEADER))?.sender
  return sender === undefined ? YES : sender === 'client' ? CLIENT : SERVER
}
