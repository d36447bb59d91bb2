import {
  CLOSE,
  CONNECTION,
  DATA,
  HEADER,
  Op,
  PROCESS,
  RECORD_ALIGNMENT,
  WireRole,
  WireTransport,
} from '../../src/capture/event-layout.js'
import { encodeTextRecord } from '../../src/capture/event-reader.js'
import type { CaptureOrigin, EventSource } from '../../src/capture/event-source.js'
import { NO_CONTROL } from '../../src/capture/recording-source.js'

export const ORIGIN: CaptureOrigin = {
  host: 'testhost',
  kernel: '6.18.0',
  monotonicBaseNs: 1_000_000_000n,
  wallBaseNs: 1_700_000_000_000_000_000n,
}

export interface Side {
  readonly pid: number
  readonly tid?: number
}

export interface OpenPair {
  readonly clientId: number
  readonly serverId: number
  clientPosition: number
  serverPosition: number
}

/**
 * Writes the records that the kernel would, for conversations made up by a test. Time is in µs since the capture's base
 * and moves on by one with every record unless set.
 */
export class CaptureBuilder {
  readonly #records: Uint8Array[] = []
  #nowMicros = 0
  #connections = 0
  #isn = 7_000

  /** Sets the time of the next record. */
  at(micros: number): this {
    this.#nowMicros = micros
    return this
  }

  process(
    pid: number,
    commandLine: readonly string[],
    options: { exe?: string; listens?: number[]; startNs?: number } = {},
  ): this {
    const info = {
      pid,
      parent: 1,
      startNs: options.startNs ?? pid,
      comm: commandLine[0] ?? '',
      exe: options.exe ?? commandLine[0] ?? '',
      commandLine,
      user: 0,
      cgroup: '',
      listens: options.listens ?? [],
    }
    this.#records.push(encodeTextRecord(Op.processInfo, this.#time(), pid, info))
    return this
  }

  lost(cause: string, count: number): this {
    this.#records.push(encodeTextRecord(Op.lost, this.#time(), 0, { cause, count }))
    return this
  }

  /** Opens a connection between two observed ends. `lateServer`: the server's end is told with its first data. */
  connect(client: Side, server: Side, port: number, options: { localPort?: number } = {}): OpenPair {
    const clientId = ++this.#connections
    const serverId = ++this.#connections
    const localPort = options.localPort ?? 40_000 + clientId
    const isns = [(this.#isn += 101), (this.#isn += 103)] as const
    this.#connection(Op.connect, client, clientId, WireRole.opened, localPort, port, isns)
    this.#connection(Op.connection, client, clientId, WireRole.opened, localPort, port, isns)
    this.#connection(Op.connection, server, serverId, WireRole.accepted, port, localPort, [isns[1], isns[0]])
    return { clientId, serverId, clientPosition: 0, serverPosition: 0 }
  }

  /** A Unix connection, told by each end before its own first data, as the kernel does. `told`: inodes that are known. */
  unixEnd(side: Side, id: number, role: 'opened' | 'accepted', inode: number, peer: number): this {
    const { record, view } = this.#record(Op.connection, CONNECTION.bytes, side)
    view.setBigUint64(CONNECTION.connection, BigInt(id), true)
    view.setUint8(CONNECTION.role, WireRole[role])
    view.setUint8(CONNECTION.transport, WireTransport.unix)
    view.setUint16(CONNECTION.family, 1, true)
    view.setBigUint64(CONNECTION.localIdentity, BigInt(inode), true)
    view.setBigUint64(CONNECTION.remoteIdentity, BigInt(peer), true)
    this.#records.push(record)
    return this
  }

  /** The client writes and the server reads (or only one of them is seen). */
  request(pair: OpenPair, client: Side | undefined, server: Side | undefined, text: string): this {
    if (client !== undefined) this.#data(Op.send, client, pair.clientId, pair.clientPosition, text)
    if (server !== undefined) this.#data(Op.receive, server, pair.serverId, pair.clientPosition, text)
    pair.clientPosition += Buffer.byteLength(text, 'latin1')
    return this
  }

  respond(pair: OpenPair, server: Side | undefined, client: Side | undefined, text: string): this {
    if (server !== undefined) this.#data(Op.send, server, pair.serverId, pair.serverPosition, text)
    if (client !== undefined) this.#data(Op.receive, client, pair.clientId, pair.serverPosition, text)
    pair.serverPosition += Buffer.byteLength(text, 'latin1')
    return this
  }

  close(pair: OpenPair, client: Side, server: Side): this {
    for (const [side, id] of [
      [client, pair.clientId],
      [server, pair.serverId],
    ] as const) {
      const { record, view } = this.#record(Op.close, CLOSE.bytes, side)
      view.setBigUint64(CLOSE.connection, BigInt(id), true)
      this.#records.push(record)
    }
    return this
  }

  exit(side: Side): this {
    this.#records.push(this.#record(Op.exit, PROCESS.bytes, side).record)
    return this
  }

  /** One batch of everything so far. */
  batch(): Uint8Array {
    const size = this.#records.reduce((sum, record) => sum + record.length, 0)
    const batch = new Uint8Array(size)
    let at = 0
    for (const record of this.#records) {
      batch.set(record, at)
      at += record.length
    }
    return batch
  }

  /** A source that hands out everything so far, `perBatch` records at a time. */
  source(perBatch = Number.POSITIVE_INFINITY): EventSource {
    const records = [...this.#records]
    return {
      kind: 'recording',
      origin: ORIGIN,
      control: NO_CONTROL,
      read: () => {
        const part = records.splice(0, perBatch)
        if (part.length === 0) return undefined
        return new Uint8Array(Buffer.concat(part))
      },
      get ended() {
        return records.length === 0
      },
      close: async () => {},
    }
  }

  #time(): bigint {
    return ORIGIN.monotonicBaseNs + BigInt(Math.round(this.#nowMicros++ * 1_000))
  }

  #record(op: number, size: number, side: Side): { record: Uint8Array; view: DataView } {
    const record = new Uint8Array((size + RECORD_ALIGNMENT - 1) & ~(RECORD_ALIGNMENT - 1))
    const view = new DataView(record.buffer)
    view.setUint32(HEADER.size, size, true)
    view.setUint8(HEADER.op, op)
    view.setBigUint64(HEADER.timeNs, this.#time(), true)
    view.setUint32(HEADER.pid, side.pid, true)
    view.setUint32(HEADER.tid, side.tid ?? side.pid, true)
    return { record, view }
  }

  #connection(
    op: number,
    side: Side,
    id: number,
    role: number,
    localPort: number,
    remotePort: number,
    isns: readonly [number, number],
  ): void {
    const { record, view } = this.#record(op, CONNECTION.bytes, side)
    view.setBigUint64(CONNECTION.connection, BigInt(id), true)
    view.setUint32(CONNECTION.localIsn, isns[0], true)
    view.setUint32(CONNECTION.remoteIsn, op === Op.connect ? 0 : isns[1], true)
    view.setUint8(CONNECTION.role, role)
    view.setUint8(CONNECTION.transport, WireTransport.tcp)
    view.setUint16(CONNECTION.family, 2, true)
    view.setUint16(CONNECTION.localPort, localPort, true)
    view.setUint16(CONNECTION.remotePort, remotePort, true)
    record.set([127, 0, 0, 1], CONNECTION.localAddress)
    record.set([127, 0, 0, 1], CONNECTION.remoteAddress)
    this.#records.push(record)
  }

  #data(op: number, side: Side, id: number, position: number, text: string): void {
    const bytes = Buffer.from(text, 'latin1')
    const { record, view } = this.#record(op, DATA.bytes + bytes.length, side)
    view.setBigUint64(DATA.connection, BigInt(id), true)
    view.setUint32(DATA.position, position, true)
    view.setInt32(DATA.length, bytes.length, true)
    view.setUint16(DATA.headLength, bytes.length, true)
    record.set(bytes, DATA.bytes)
    this.#records.push(record)
  }
}
