import {
  CONNECTION,
  DATA,
  EventFlag,
  HEADER,
  Op,
  RECORD_ALIGNMENT,
  WireRole,
  WireTransport,
} from '../../src/capture/event-layout.js'
import type { EventSource } from '../../src/capture/event-source.js'
import { NO_CONTROL } from '../../src/capture/recording-source.js'
import { protocolModules } from '../../src/protocols/registry.js'
import { createRedactor, type Redactor } from '../../src/redaction/redactor.js'
import type { Call } from '../protocols/conversation.js'
import { ORIGIN } from '../support/capture-builder.js'

export const KEY = new Uint8Array(32).map((_, index) => index * 7 + 1)

export const newRedactor = (key: Uint8Array = KEY): Redactor =>
  createRedactor({ origin: ORIGIN, modules: protocolModules, key })

export interface MaskingOptions {
  /** Bytes copied from the start and from the end of each call; default all. */
  readonly head?: number
  readonly tail?: number
  /** Calls (by index) of which there is no record at all. */
  readonly lost?: ReadonlySet<number>
  readonly joined?: boolean
  /** Whose end is captured. */
  readonly end?: 'client' | 'server'
  readonly redactor?: Redactor
  readonly connection?: number
}

const padded = (size: number): number => Math.ceil(size / RECORD_ALIGNMENT) * RECORD_ALIGNMENT

export function record(op: number, size: number, timeNs: number): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(padded(size))
  const view = new DataView(bytes.buffer)
  view.setUint32(HEADER.size, size, true)
  view.setUint8(HEADER.op, op)
  view.setBigUint64(HEADER.timeNs, ORIGIN.monotonicBaseNs + BigInt(timeNs), true)
  view.setUint32(HEADER.pid, 7, true)
  view.setUint32(HEADER.tid, 7, true)
  return { bytes, view }
}

export function connectionRecord(connection: number, role: number, joined = false): Uint8Array {
  const { bytes, view } = record(Op.connection, CONNECTION.bytes, 0)
  view.setUint8(HEADER.flags, joined ? EventFlag.midlife : 0)
  view.setBigUint64(CONNECTION.connection, BigInt(connection), true)
  view.setUint32(CONNECTION.localIsn, 11, true)
  view.setUint32(CONNECTION.remoteIsn, 12, true)
  view.setUint8(CONNECTION.role, role)
  view.setUint8(CONNECTION.transport, WireTransport.tcp)
  view.setUint16(CONNECTION.family, 2, true)
  view.setUint16(CONNECTION.localPort, 40_000, true)
  view.setUint16(CONNECTION.remotePort, 80, true)
  return bytes
}

/** A call's record, with `head` and `tail` of its bytes copied. */
export function dataRecord(
  op: number,
  connection: number,
  position: number,
  payload: Uint8Array,
  head: number,
  tail: number,
  timeNs = 0,
): Uint8Array {
  const { bytes, view } = record(op, DATA.bytes + head + tail, timeNs)
  view.setUint8(HEADER.flags, head + tail === 0 && payload.length > 0 ? EventFlag.uncopied : 0)
  view.setBigUint64(DATA.connection, BigInt(connection), true)
  view.setUint32(DATA.position, position, true)
  view.setInt32(DATA.length, payload.length, true)
  view.setUint16(DATA.headLength, head, true)
  view.setUint16(DATA.tailLength, tail, true)
  bytes.set(payload.subarray(0, head), DATA.bytes)
  bytes.set(payload.subarray(payload.length - tail), DATA.bytes + head)
  return bytes
}

/** The records of one end of the conversation, the connection's first. */
export function recordsOf(conversation: readonly Call[], options: MaskingOptions = {}): Uint8Array[] {
  const { joined = false, end = 'client', connection = 1, lost } = options
  const positions = { client: 0, server: 0 }
  const records = [connectionRecord(connection, end === 'client' ? WireRole.opened : WireRole.accepted, joined)]
  for (const [index, { sender, bytes, eof }] of conversation.entries()) {
    const position = positions[sender]
    positions[sender] += bytes.length
    const op = sender === end ? Op.send : Op.receive
    const head = Math.min(bytes.length, options.head ?? bytes.length)
    const tail = Math.min(bytes.length - head, options.tail ?? 0)
    const time = (index + 1) * 1000
    if (bytes.length > 0 && !lost?.has(index)) {
      records.push(dataRecord(op, connection, position, bytes, head, tail, time))
    }
    if (eof === true) {
      const ended = dataRecord(op, connection, positions[sender], new Uint8Array(0), 0, 0, time)
      new DataView(ended.buffer).setUint8(HEADER.flags, EventFlag.eof)
      records.push(ended)
    }
  }
  return records
}

/** The payloads of data records, by whether they were sent or received at this end. */
export function payloads(records: readonly Uint8Array[]): { sent: Buffer; received: Buffer } {
  const of = (op: number) =>
    Buffer.concat(
      records
        .filter(each => each[HEADER.op] === op)
        .map(each => {
          const view = new DataView(each.buffer, each.byteOffset)
          const length = view.getUint16(DATA.headLength, true) + view.getUint16(DATA.tailLength, true)
          return each.subarray(DATA.bytes, DATA.bytes + length)
        }),
    )
  return { sent: of(Op.send), received: of(Op.receive) }
}

/** What a client's end of the conversation shows after redaction. */
export function shownOf(
  conversation: readonly Call[],
  options: MaskingOptions = {},
): { client: string; server: string } {
  const redactor = options.redactor ?? newRedactor()
  const { sent, received } = payloads(recordsOf(conversation, options).map(each => redactor.redact(each).slice()))
  const [client, server] = options.end === 'server' ? [received, sent] : [sent, received]
  return { client: client.toString('latin1'), server: server.toString('latin1') }
}

export function sourceOf(records: readonly Uint8Array[]): EventSource {
  const left = [...records]
  return {
    kind: 'recording',
    origin: ORIGIN,
    control: NO_CONTROL,
    read: () => left.shift(),
    get ended() {
      return left.length === 0
    },
    close: async () => {},
  }
}
