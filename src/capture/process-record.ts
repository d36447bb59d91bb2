import { PROCESS } from './event-layout.js'
import type { EventReader } from './event-reader.js'

/** Of a process record: the 16 bytes that the kernel keeps of a program's name, NUL-terminated. */
export function commOf(record: EventReader): string {
  const start = record.offset + PROCESS.comm
  let end = start
  while (end < start + 16 && record.bytes[end] !== 0) end++
  return String.fromCharCode(...record.bytes.subarray(start, end))
}
