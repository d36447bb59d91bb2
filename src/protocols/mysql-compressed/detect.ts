import { detect as detectPackets } from '../mysql/detect.js'
import type { Detection } from '../protocol.js'
import { HEADER, isZlib, readFrameHeader, unpackFrame } from './frame.js'

const NO: Detection = { match: 'no' }
const MAYBE: Detection = { match: 'maybe' }

const MOST_LENGTH = 0x10_0000

/** A frame whose content, unpacked where it is packed, begins with what MySQL's packets begin with. */
export function detectCompressed(bytes: Uint8Array, start: number, end: number): Detection {
  const here = end - start
  if (here === 0 || (here >= 3 && bytes[start + 2]! > 0x10)) return NO
  if (here < HEADER) return here < 4 ? NO : MAYBE
  const frame = readFrameHeader(bytes, start)
  if (frame === undefined || frame.length > MOST_LENGTH || frame.sequence > 1) return NO
  const content = start + HEADER
  const stop = Math.min(end, content + frame.length)
  if (frame.unpacked === 0) {
    // A frame holds whole packets, as a rule one.
    const found = detectPackets(bytes, content, stop)
    const packet = content + 4 <= end ? bytes[content]! | (bytes[content + 1]! << 8) | (bytes[content + 2]! << 16) : -1
    const isOne = packet + 4 === frame.length || frame.sequence > 0
    if (found.match === 'yes') return isOne ? found : NO
    return found.match === 'maybe' && isOne ? found : NO
  }
  if (content + 2 > end) return MAYBE
  if (!isZlib(bytes, content)) return NO
  const unpacked = unpackFrame(bytes, content, stop, frame.unpacked)
  if (unpacked === undefined || unpacked.length === 0) return NO
  const found = detectPackets(unpacked, 0, Math.min(unpacked.length, 256))
  return found.match === 'yes' ? found : NO
}
