import type { CaptureOrigin } from './event-source.js'

/**
 * A recording: 8 bytes magic, then a frame with the header's JSON text, then frames of records. A frame is
 * { u32 length, u32 0 } and `length` bytes, padded to a multiple of 8. Little endian. May be gzip-compressed as a whole.
 *
 * Records are those of `bpf/types/event.h`, processInfo and lost records included, so nothing else is needed to replay.
 */
export const RECORDING_MAGIC = 'GSPNREC1'
export const FRAME_HEADER_BYTES = 8

/** Longest frame that is believed; a longer one means a damaged file. */
export const LONGEST_FRAME = 1 << 28

export interface RecordingHeader {
  readonly version: 1
  readonly host: string
  readonly kernel: string
  readonly monotonicBaseNs: string
  readonly wallBaseNs: string
  /** Contents were masked for sharing. */
  readonly redacted: boolean
}

export function headerOf(origin: CaptureOrigin, redacted: boolean): RecordingHeader {
  return {
    version: 1,
    host: origin.host,
    kernel: origin.kernel,
    monotonicBaseNs: String(origin.monotonicBaseNs),
    wallBaseNs: String(origin.wallBaseNs),
    redacted,
  }
}

export function originOf(header: RecordingHeader): CaptureOrigin {
  return {
    host: header.host,
    kernel: header.kernel,
    monotonicBaseNs: BigInt(header.monotonicBaseNs),
    wallBaseNs: BigInt(header.wallBaseNs),
  }
}

/** What is wrong with a recording, and where. */
export class RecordingError extends Error {
  readonly code = 'GHOSTSPAN_RECORDING'

  constructor(path: string, offset: number, problem: string) {
    super(`${path}: ${problem} (at byte ${offset})`)
    this.name = 'RecordingError'
  }
}
