import type { CaptureClock } from './capture-clock.js'
import { CLOSE, CONNECTION, DATA, HEADER, Op, PROCESS, RECORD_ALIGNMENT, TASK } from './event-layout.js'

const TWO_32 = 4_294_967_296

/** What happens on each kind of record. The reader itself holds the record's fields while the handler runs. */
export interface EventHandler {
  /** `op` is send or receive. */
  data(record: EventReader): void
  /** `op` is connect or connection. */
  connection(record: EventReader): void
  close(record: EventReader): void
  /** `op` is fork, exec or exit. */
  process(record: EventReader): void
  taskBirth(record: EventReader): void
  /** `op` is processInfo or lost. */
  text(record: EventReader, json: string): void
}

/**
 * Walks through batches of the records of `bpf/types/event.h`. One object is reused for every record: a handler takes
 * what it needs and keeps no reference. A damaged batch is left at the first record that cannot be (`malformed`).
 */
export class EventReader {
  op = 0
  flags = 0
  /** Changes where records were lost. */
  lossEpoch = 0
  /** ns since the capture's base. */
  timeNs = 0
  pid = 0
  tid = 0
  carrier = 0
  carrierParent = 0
  /** Data, connection and close records. */
  connection = 0
  position = 0
  length = 0
  headLength = 0
  tailLength = 0
  /** Where the payload's head begins in `bytes`; the tail follows it. */
  payload = 0
  bytes: Uint8Array = new Uint8Array(0)
  /** Start of the record in `bytes`, for the rarer fields. */
  offset = 0
  events = 0
  malformed = 0

  readonly #clock: CaptureClock
  #words: Uint32Array = new Uint32Array(0)

  constructor(clock: CaptureClock) {
    this.#clock = clock
  }

  /** Hands every record of the batch to the handler; returns their number. */
  read(batch: Uint8Array, handler: EventHandler): number {
    // Records are read through 32-bit words, which must be aligned in memory.
    const bytes = batch.byteOffset % RECORD_ALIGNMENT === 0 ? batch : new Uint8Array(batch)
    this.bytes = bytes
    this.#words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2)
    const before = this.events
    let offset = 0
    while (offset + HEADER.bytes <= bytes.length) {
      const size = this.#words[offset >> 2]!
      if (size < HEADER.bytes || offset + size > bytes.length) {
        this.malformed++
        break
      }
      this.#header(offset)
      this.#dispatch(offset, size, handler)
      this.events++
      offset += (size + RECORD_ALIGNMENT - 1) & ~(RECORD_ALIGNMENT - 1)
    }
    return this.events - before
  }

  /** A 64-bit field of the present record, as a number (exact below 2^53). */
  u64(field: number): number {
    const at = (this.offset + field) >> 2
    return this.#words[at]! + this.#words[at + 1]! * TWO_32
  }

  u32(field: number): number {
    return this.#words[(this.offset + field) >> 2]!
  }

  u16(field: number): number {
    const at = this.offset + field
    return this.bytes[at]! | (this.bytes[at + 1]! << 8)
  }

  u8(field: number): number {
    return this.bytes[this.offset + field]!
  }

  #header(offset: number): void {
    const words = this.#words
    const at = offset >> 2
    this.offset = offset
    this.op = words[at + 1]! & 0xff
    this.flags = (words[at + 1]! >>> 8) & 0xff
    this.lossEpoch = words[at + 1]! >>> 16
    this.timeNs = this.#clock.relative(words[at + 2]!, words[at + 3]!)
    this.pid = words[at + 4]!
    this.tid = words[at + 5]!
    this.carrier = words[at + 6]! + words[at + 7]! * TWO_32
    this.carrierParent = words[at + 8]! + words[at + 9]! * TWO_32
  }

  #dispatch(offset: number, size: number, handler: EventHandler): void {
    switch (this.op) {
      case Op.send:
      case Op.receive: {
        if (size < DATA.bytes) break
        this.connection = this.u64(DATA.connection)
        this.position = this.u32(DATA.position)
        this.length = this.u32(DATA.length) | 0
        const lengths = this.u32(DATA.headLength)
        this.headLength = lengths & 0xffff
        this.tailLength = lengths >>> 16
        this.payload = offset + DATA.bytes
        if (DATA.bytes + this.headLength + this.tailLength > size) break
        handler.data(this)
        return
      }
      case Op.connect:
      case Op.connection:
        if (size < CONNECTION.bytes) break
        this.connection = this.u64(CONNECTION.connection)
        handler.connection(this)
        return
      case Op.close:
        if (size < CLOSE.bytes) break
        this.connection = this.u64(CLOSE.connection)
        handler.close(this)
        return
      case Op.fork:
      case Op.exec:
      case Op.exit:
        if (size < PROCESS.bytes) break
        handler.process(this)
        return
      case Op.taskBirth:
        if (size < TASK.bytes) break
        handler.taskBirth(this)
        return
      case Op.processInfo:
      case Op.lost:
        handler.text(this, decodeText(this.bytes.subarray(offset + HEADER.bytes, offset + size)))
        return
      default:
        // A newer recording may hold kinds of records that are not known here; their size is all that is needed.
        return
    }
    this.malformed++
  }
}

const decoder = new TextDecoder()

function decodeText(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}

/** One user-space record (processInfo, lost) with its JSON text, ready to be put into a batch. */
export function encodeTextRecord(op: number, monotonicNs: bigint, pid: number, value: unknown): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(value))
  const size = HEADER.bytes + text.length
  const record = new Uint8Array((size + RECORD_ALIGNMENT - 1) & ~(RECORD_ALIGNMENT - 1))
  const view = new DataView(record.buffer)
  view.setUint32(HEADER.size, size, true)
  view.setUint8(HEADER.op, op)
  view.setBigUint64(HEADER.timeNs, monotonicNs, true)
  view.setUint32(HEADER.pid, pid, true)
  view.setUint32(HEADER.tid, pid, true)
  record.set(text, HEADER.bytes)
  return record
}
