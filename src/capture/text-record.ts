import { HEADER, RECORD_ALIGNMENT } from './event-layout.js'

/** A record that user space writes into the stream: a header and JSON text (ops from 64 on). */
export function encodeTextRecord(op: number, timeNs: bigint, pid: number, value: unknown): Uint8Array {
  const text = Buffer.from(JSON.stringify(value), 'utf8')
  const size = HEADER.bytes + text.length
  const record = new Uint8Array(Math.ceil(size / RECORD_ALIGNMENT) * RECORD_ALIGNMENT)
  const view = new DataView(record.buffer)
  view.setUint32(HEADER.size, size, true)
  view.setUint8(HEADER.op, op)
  view.setBigUint64(HEADER.timeNs, timeNs, true)
  view.setUint32(HEADER.pid, pid, true)
  record.set(text, HEADER.bytes)
  return record
}
