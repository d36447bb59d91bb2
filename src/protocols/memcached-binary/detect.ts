import type { Detection } from '../protocol.js'
import { commandOf } from './commands.js'
import { BinaryHeader, HEADER, Magic } from './header.js'

const NO: Detection = { match: 'no' }
const MAYBE_CLIENT: Detection = { match: 'maybe', sender: 'client' }
const MAYBE_SERVER: Detection = { match: 'maybe', sender: 'server' }
const CLIENT: Detection = { match: 'yes', sender: 'client' }
const SERVER: Detection = { match: 'yes', sender: 'server' }

const header = new BinaryHeader()

/** A header whose lengths fit its operation; where the next one is in view, that one, too. */
export function detectBinary(bytes: Uint8Array, start: number, end: number): Detection {
  const magic = bytes[start]
  if (start === end || (magic !== Magic.request && magic !== Magic.answer)) return NO
  if (start + 1 < end && commandOf(bytes[start + 1]!) === undefined) return NO
  if (end - start < HEADER) {
    if (start + 5 < end && bytes[start + 5] !== 0) return NO
    return magic === Magic.request ? MAYBE_CLIENT : MAYBE_SERVER
  }
  for (let at = start; at + HEADER <= end; at += HEADER + header.body) if (!header.read(bytes, at, magic!)) return NO
  return magic === Magic.request ? CLIENT : SERVER
}
