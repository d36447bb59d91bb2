import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { Counters } from '../telemetry/counters.js'
import type { CaptureControl, EventSource } from './event-source.js'
import {
  FRAME_HEADER_BYTES,
  LONGEST_FRAME,
  originOf,
  RECORDING_MAGIC,
  RecordingError,
  type RecordingHeader,
} from './recording-format.js'

/** A capture that has already happened takes no orders. */
export const NO_CONTROL: CaptureControl = { setConnectionPolicy: () => {}, setPortPolicy: () => {} }

/** Largest recording that is unpacked in memory, in bytes. */
const LARGEST_UNPACKED = 2 ** 31 - 1

interface ByteSource {
  readonly length: number
  /** Fills `into` from `offset`; returns how many bytes there were. */
  read(into: Uint8Array, offset: number): number
  close(): void
}

/**
 * Replays a file of `recording-writer.ts`, plain or gzip-compressed, batch by batch as it was recorded. A file that ends
 * in the middle of a frame (its recorder was killed) is replayed up to there, and counted.
 */
export function createRecordingSource(path: string, counters?: Counters): EventSource {
  const bytes = openBytes(path)
  const fail = (offset: number, problem: string): never => {
    bytes.close()
    throw new RecordingError(path, offset, problem)
  }
  const head = new Uint8Array(RECORDING_MAGIC.length)
  if (bytes.read(head, 0) < head.length || new TextDecoder().decode(head) !== RECORDING_MAGIC) {
    fail(0, 'not a Ghostspan recording; record one with: ghostspan record FILE')
  }
  let position = RECORDING_MAGIC.length
  let buffer = new Uint8Array(1 << 20)
  let ended = false
  const frameHead = new Uint8Array(FRAME_HEADER_BYTES)
  const frameHeadView = new DataView(frameHead.buffer)

  const next = (): Uint8Array | undefined => {
    const got = bytes.read(frameHead, position)
    if (got === 0) return undefined
    const length = got === FRAME_HEADER_BYTES ? frameHeadView.getUint32(0, true) : 0
    if (length > LONGEST_FRAME) fail(position, `damaged: a frame of ${length} bytes`)
    const padded = (length + 7) & ~7
    if (buffer.length < padded) buffer = new Uint8Array(padded)
    if (got < FRAME_HEADER_BYTES || bytes.read(buffer.subarray(0, length), position + FRAME_HEADER_BYTES) < length) {
      counters?.add('capture.recording.cut_short')
      return undefined
    }
    position += FRAME_HEADER_BYTES + padded
    return buffer.subarray(0, length)
  }

  const headerFrame = next()
  const header = parseHeader(headerFrame) ?? fail(RECORDING_MAGIC.length, 'damaged: its header cannot be read')
  if (header.version !== 1) fail(RECORDING_MAGIC.length, `version ${header.version}, only 1 is known here`)
  return {
    kind: 'recording',
    origin: originOf(header),
    control: NO_CONTROL,
    read: () => {
      if (ended) return undefined
      const batch = next()
      if (batch === undefined) ended = true
      return batch
    },
    get ended() {
      return ended
    },
    close: async () => {
      ended = true
      bytes.close()
    },
  }
}

function parseHeader(frame: Uint8Array | undefined): RecordingHeader | undefined {
  if (frame === undefined) return undefined
  try {
    return JSON.parse(new TextDecoder().decode(frame)) as RecordingHeader
  } catch {
    return undefined
  }
}

function openBytes(path: string): ByteSource {
  const file = openSync(path, 'r')
  const magic = new Uint8Array(2)
  readSync(file, magic, 0, 2, 0)
  if (magic[0] === 0x1f && magic[1] === 0x8b) {
    closeSync(file)
    return inMemory(gunzipSync(readFileSync(path), { maxOutputLength: LARGEST_UNPACKED }))
  }
  let open = true
  return {
    length: fstatSync(file).size,
    read: (into, offset) => {
      let got = 0
      while (got < into.length) {
        const n = readSync(file, into, got, into.length - got, offset + got)
        if (n === 0) break
        got += n
      }
      return got
    },
    close: () => {
      if (open) closeSync(file)
      open = false
    },
  }
}

function inMemory(content: Uint8Array): ByteSource {
  return {
    length: content.length,
    read: (into, offset) => {
      const part = content.subarray(offset, offset + into.length)
      into.set(part)
      return part.length
    },
    close: () => {},
  }
}
