import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createCaptureClock } from '../../src/capture/capture-clock.js'
import type { Connection } from '../../src/capture/connection.js'
import { decodeConnection } from '../../src/capture/connection-record.js'
import { EventFlag, Op } from '../../src/capture/event-layout.js'
import { EventReader } from '../../src/capture/event-reader.js'
import type { EventSource } from '../../src/capture/event-source.js'
import { createPcapSource, type PcapSourceOptions } from '../../src/capture/pcap-source.js'
import type { ProcessInfo } from '../../src/capture/process-info.js'
import { type Counters, createCounters } from '../../src/telemetry/counters.js'

export const FIN = 1
export const SYN = 2
export const RST = 4
export const ACK = 16

export interface Segment {
  readonly from: 'client' | 'server'
  readonly sequence: number
  readonly acknowledged?: number
  /** Default ACK. */
  readonly flags?: number
  readonly payload?: string | Uint8Array
  /** Default 40000 and 80. */
  readonly clientPort?: number
  readonly serverPort?: number
}

const toBytes = (value: string | Uint8Array | undefined): Uint8Array =>
  typeof value === 'string' ? Buffer.from(value, 'latin1') : (value ?? new Uint8Array(0))

export const be = (size: 2 | 4, value: number): Uint8Array => {
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  if (size === 2) view.setUint16(0, value)
  else view.setUint32(0, value)
  return bytes
}

export const glue = (...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array =>
  Buffer.concat(parts.map(part => Uint8Array.from(part)))

export function tcp(segment: Segment): Uint8Array {
  const { from, sequence, acknowledged = 0, flags = ACK, clientPort = 40_000, serverPort = 80 } = segment
  const [source, destination] = from === 'client' ? [clientPort, serverPort] : [serverPort, clientPort]
  return glue(
    be(2, source),
    be(2, destination),
    be(4, sequence >>> 0),
    be(4, acknowledged >>> 0),
    [0x50, flags],
    be(2, 65_535),
    [0, 0, 0, 0],
    toBytes(segment.payload),
  )
}

export const CLIENT4 = [10, 0, 0, 5]
export const SERVER4 = [10, 0, 0, 1]
export const CLIENT6 = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5]
export const SERVER6 = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]

export function ipv4(segment: Segment, fragment = 0): Uint8Array {
  const content = tcp(segment)
  const [source, destination] = segment.from === 'client' ? [CLIENT4, SERVER4] : [SERVER4, CLIENT4]
  return glue(
    [0x45, 0],
    be(2, 20 + content.length),
    [0, 0],
    be(2, fragment),
    [64, 6, 0, 0],
    source,
    destination,
    content,
  )
}

/** `extensions`: headers as they are; `first` says what the first of them is. */
export function ipv6(segment: Segment, first = 6, extensions: readonly number[] = []): Uint8Array {
  const content = tcp(segment)
  const [source, destination] = segment.from === 'client' ? [CLIENT6, SERVER6] : [SERVER6, CLIENT6]
  return glue(
    [0x60, 0, 0, 0],
    be(2, extensions.length + content.length),
    [first, 64],
    source,
    destination,
    extensions,
    content,
  )
}

export const ethernet = (ip: Uint8Array, ...tags: readonly number[]): Uint8Array =>
  glue(
    new Uint8Array(12),
    ...tags.map(tag => glue(be(2, tag), [0, 1])),
    be(2, ip[0]! >> 4 === 4 ? 0x0800 : 0x86dd),
    ip,
    // Padding to the shortest frame, which is no payload.
    new Uint8Array(Math.max(0, 46 - ip.length)),
  )

export interface TimedPacket {
  readonly bytes: Uint8Array
  /** Default: a microsecond after the one before. */
  readonly micros?: number
  /** Bytes that were captured. Default all. */
  readonly captured?: number
}

export interface PcapFormat {
  readonly linkType?: number
  readonly littleEndian?: boolean
  readonly nanoseconds?: boolean
}

export const START_SECONDS = 1_700_000_000

/** A classic pcap file. */
export function pcap(packets: readonly TimedPacket[], format: PcapFormat = {}): Uint8Array {
  const { linkType = 1, littleEndian = true, nanoseconds = false } = format
  const header = new DataView(new ArrayBuffer(24))
  header.setUint32(0, nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4, littleEndian)
  header.setUint16(4, 2, littleEndian)
  header.setUint16(6, 4, littleEndian)
  header.setUint32(16, 262_144, littleEndian)
  header.setUint32(20, linkType, littleEndian)
  const parts: Uint8Array[] = [new Uint8Array(header.buffer)]
  let micros = -1
  for (const packet of packets) {
    micros = packet.micros ?? micros + 1
    const captured = packet.captured ?? packet.bytes.length
    const record = new DataView(new ArrayBuffer(16))
    record.setUint32(0, START_SECONDS + Math.floor(micros / 1e6), littleEndian)
    record.setUint32(4, (micros % 1e6) * (nanoseconds ? 1000 : 1), littleEndian)
    record.setUint32(8, captured, littleEndian)
    record.setUint32(12, packet.bytes.length, littleEndian)
    parts.push(new Uint8Array(record.buffer), packet.bytes.subarray(0, captured))
  }
  return Buffer.concat(parts)
}

/** Segments as Ethernet frames over IPv4, a microsecond apart. */
export const frames = (segments: readonly Segment[]): TimedPacket[] =>
  segments.map(segment => ({ bytes: ethernet(ipv4(segment)) }))

/** SYN, SYN+ACK, ACK with these initial sequence numbers. */
export const handshake = (clientIsn = 1000, serverIsn = 5000, clientPort = 40_000): Segment[] => [
  { from: 'client', sequence: clientIsn, flags: SYN, clientPort },
  { from: 'server', sequence: serverIsn, acknowledged: clientIsn + 1, flags: SYN | ACK, clientPort },
  { from: 'client', sequence: clientIsn + 1, acknowledged: serverIsn + 1, clientPort },
]

/** Writes a file that is gone after the test. */
export function temporaryFile(t: TestContext, content: Uint8Array, name = 'capture.pcap'): string {
  const folder = mkdtempSync(join(tmpdir(), 'ghostspan-pcap-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

export interface Moved {
  readonly position: number
  readonly length: number
  readonly bytes: Uint8Array
  readonly timeNs: number
  readonly uncopied: boolean
}

export interface SeenEnd {
  readonly connection: Connection
  readonly openedNs: number
  readonly sent: Moved[]
  readonly received: Moved[]
  endOfFile: boolean
  closed: boolean
  /** Order of everything that happened: 's3' sent three bytes, 'r2', 'eof', 'close'. */
  readonly story: string[]
}

export interface SeenCapture {
  readonly ends: SeenEnd[]
  readonly processes: ProcessInfo[]
  readonly counters: Counters
  readonly source: EventSource
  readonly error: unknown
}

/** Everything that a capture's records say, checked for continuity on the way. */
export function readCapture(path: string, options: PcapSourceOptions = {}): SeenCapture {
  const counters = createCounters()
  const source = createPcapSource(path, { ...options, counters })
  const reader = new EventReader(createCaptureClock(source.origin))
  const ends = new Map<number, SeenEnd>()
  const seen: SeenEnd[] = []
  const processes: ProcessInfo[] = []
  const handler = {
    data: (record: EventReader): void => {
      const end = ends.get(record.connection)
      if (end === undefined) throw new Error('data of a connection that was not announced')
      const moved = record.op === Op.send ? end.sent : end.received
      if ((record.flags & EventFlag.eof) !== 0) {
        end.endOfFile = true
        end.story.push('eof')
        return
      }
      const last = moved.at(-1)
      if (last !== undefined && (last.position + last.length) % 2 ** 32 !== record.position) {
        throw new Error(`bytes at ${record.position} follow ${last.length} bytes at ${last.position}`)
      }
      if (record.length <= 0 || record.headLength > record.length) throw new Error('a length that cannot be')
      moved.push({
        position: record.position,
        length: record.length,
        bytes: record.bytes.slice(record.payload, record.payload + record.headLength),
        timeNs: record.timeNs,
        uncopied: (record.flags & EventFlag.uncopied) !== 0,
      })
      end.story.push(`${record.op === Op.send ? 's' : 'r'}${record.length}`)
    },
    connection: (record: EventReader): void => {
      const info = processes.findLast(({ pid }) => pid === record.pid)
      if (info === undefined) throw new Error('a connection of a process that was not announced')
      const process = { pid: record.pid, comm: info.comm, info, generation: 0, endedNs: undefined }
      const end: SeenEnd = {
        connection: decodeConnection(record, process),
        openedNs: record.timeNs,
        sent: [],
        received: [],
        endOfFile: false,
        closed: false,
        story: [],
      }
      ends.set(record.connection, end)
      seen.push(end)
    },
    close: (record: EventReader): void => {
      const end = ends.get(record.connection)
      if (end === undefined || end.closed) throw new Error('a close of a connection that is not open')
      end.closed = true
      end.story.push('close')
    },
    process: (): void => {},
    taskBirth: (): void => {},
    text: (_: EventReader, json: string): void => {
      processes.push(JSON.parse(json) as ProcessInfo)
    },
  }
  let error: unknown
  try {
    while (!source.ended) {
      const batch = source.read()
      if (batch !== undefined) reader.read(batch, handler)
    }
  } catch (thrown) {
    error = thrown
  }
  if (reader.malformed > 0) throw new Error('malformed records')
  return { ends: seen, processes, counters, source, error }
}

/** The bytes of a direction; what was not copied as dots. */
export const text = (moved: readonly Moved[]): string =>
  moved.map(({ bytes, length }) => Buffer.from(bytes).toString('latin1') + '.'.repeat(length - bytes.length)).join('')
