import { CLOSE, CONNECTION, DATA, EventFlag, HEADER, Op, RECORD_ALIGNMENT, WireTransport } from './event-layout.js'

const TWO_32 = 4_294_967_296
/** What fits the 16 bits of a copied length, a multiple of the alignment. */
const MOST_COPIED = 65_528
/** Bytes up to which a view of the source is dearer than a loop. */
const SHORT = 1024

/** One end of a connection, as its records name it. */
export interface RecordedEnd {
  /** Unique in the capture, below 2^53. */
  readonly connection: number
  readonly pid: number
}

export interface ConnectionFields {
  readonly localIsn: number
  readonly remoteIsn: number
  /** Of `WireRole`. */
  readonly role: number
  readonly midlife: boolean
  /** Who opened it is a guess. */
  readonly roleGuessed?: boolean
  /** Of `WireTransport`; default TCP. */
  readonly transport?: number
  /** 4 or 16 bytes. */
  readonly localAddress: Uint8Array
  readonly remoteAddress: Uint8Array
  readonly localPort: number
  readonly remotePort: number
}

/** Writes records of `bpf/types/event.h` one behind the other into a buffer that is used again. */
export class RecordBatch {
  #bytes = new Uint8Array(1 << 19)
  #view = new DataView(this.#bytes.buffer)
  #end = 0
  /** What was copied from last. */
  #source: Uint8Array = this.#bytes
  #sourceView: DataView = this.#view

  get length(): number {
    return this.#end
  }

  /** The records so far, valid until the next one is written. */
  take(): Uint8Array {
    const batch = this.#bytes.subarray(0, this.#end)
    this.#end = 0
    return batch
  }

  /** A record that has been encoded already, padding included. */
  put(record: Uint8Array): void {
    const at = this.#room(record.length)
    this.#bytes.set(record, at)
    this.#end += record.length
  }

  connection(end: RecordedEnd, timeNs: number, fields: ConnectionFields): void {
    const flags = (fields.midlife ? EventFlag.midlife : 0) | (fields.roleGuessed === true ? EventFlag.roleGuessed : 0)
    const at = this.#header(Op.connection, flags, CONNECTION.bytes, end, timeNs)
    const view = this.#view
    view.setUint32(at + CONNECTION.localIsn, fields.localIsn, true)
    view.setUint32(at + CONNECTION.remoteIsn, fields.remoteIsn, true)
    view.setUint8(at + CONNECTION.role, fields.role)
    view.setUint8(at + CONNECTION.transport, fields.transport ?? WireTransport.tcp)
    // AF_INET and AF_INET6 of Linux.
    view.setUint16(at + CONNECTION.family, fields.localAddress.length === 4 ? 2 : 10, true)
    view.setUint16(at + CONNECTION.localPort, fields.localPort, true)
    view.setUint16(at + CONNECTION.remotePort, fields.remotePort, true)
    this.#bytes.set(fields.localAddress, at + CONNECTION.localAddress)
    this.#bytes.set(fields.remoteAddress, at + CONNECTION.remoteAddress)
  }

  /** `length` bytes at `position`, of which bytes[start, end) were captured. Long ones become several records. */
  data(
    op: typeof Op.send | typeof Op.receive,
    end: RecordedEnd,
    timeNs: number,
    position: number,
    bytes: Uint8Array,
    from: number,
    to: number,
    length: number,
  ): void {
    while (to - from > MOST_COPIED) {
      this.#datum(op, end, timeNs, position, bytes, from, from + MOST_COPIED, MOST_COPIED)
      from += MOST_COPIED
      length -= MOST_COPIED
      position = (position + MOST_COPIED) % TWO_32
    }
    this.#datum(op, end, timeNs, position, bytes, from, to, length)
  }

  /** The other end has closed its direction. */
  endOfFile(end: RecordedEnd, timeNs: number, position: number): void {
    const at = this.#header(Op.receive, EventFlag.eof, DATA.bytes, end, timeNs)
    this.#view.setUint32(at + DATA.position, position, true)
  }

  close(end: RecordedEnd, timeNs: number): void {
    this.#header(Op.close, 0, CLOSE.bytes, end, timeNs)
  }

  #datum(
    op: typeof Op.send | typeof Op.receive,
    end: RecordedEnd,
    timeNs: number,
    position: number,
    bytes: Uint8Array,
    from: number,
    to: number,
    length: number,
  ): void {
    const copied = to - from
    const at = this.#header(op, copied === 0 ? EventFlag.uncopied : 0, DATA.bytes + copied, end, timeNs)
    const view = this.#view
    view.setUint32(at + DATA.position, position, true)
    view.setInt32(at + DATA.length, length, true)
    view.setUint16(at + DATA.headLength, copied, true)
    if (copied > SHORT) this.#bytes.set(bytes.subarray(from, to), at + DATA.bytes)
    else this.#copyShort(bytes, from, to, at + DATA.bytes)
  }

  /** Four bytes at a time: for what is short, a view to copy from costs more than copying. */
  #copyShort(bytes: Uint8Array, from: number, to: number, at: number): void {
    if (this.#source !== bytes) {
      this.#source = bytes
      this.#sourceView = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
    const source = this.#sourceView
    const view = this.#view
    for (; from + 4 <= to; from += 4, at += 4) view.setUint32(at, source.getUint32(from, true), true)
    for (; from < to; from++, at++) this.#bytes[at] = bytes[from]!
  }

  /** Fills in what all records of a connection share; returns where the record begins. */
  #header(op: number, flags: number, size: number, { connection, pid }: RecordedEnd, timeNs: number): number {
    const padded = Math.ceil(size / RECORD_ALIGNMENT) * RECORD_ALIGNMENT
    const at = this.#room(padded)
    this.#bytes.fill(0, at, at + padded)
    this.#end += padded
    const view = this.#view
    view.setUint32(at + HEADER.size, size, true)
    view.setUint8(at + HEADER.op, op)
    view.setUint8(at + HEADER.flags, flags)
    view.setUint32(at + HEADER.timeNs, timeNs % TWO_32, true)
    view.setUint32(at + HEADER.timeNs + 4, timeNs / TWO_32, true)
    view.setUint32(at + HEADER.pid, pid, true)
    view.setUint32(at + HEADER.tid, pid, true)
    // Close, connection and data records have the connection at the same place.
    view.setUint32(at + DATA.connection, connection % TWO_32, true)
    view.setUint32(at + DATA.connection + 4, connection / TWO_32, true)
    return at
  }

  #room(count: number): number {
    if (this.#end + count > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#end + count))
      larger.set(this.#bytes.subarray(0, this.#end))
      this.#bytes = larger
      this.#view = new DataView(larger.buffer)
    }
    return this.#end
  }
}
