import { closeSync, openSync, writeSync } from 'node:fs'
import type { CaptureOrigin } from './event-source.js'
import { FRAME_HEADER_BYTES, headerOf, RECORDING_MAGIC } from './recording-format.js'

export interface RecordingWriter {
  /** Bytes written so far. */
  readonly bytes: number
  /** Appends one batch of records as it came from the source. */
  write(batch: Uint8Array): void
  close(): void
}

/**
 * Creates the file with owner-only mode: it holds raw bytes of other people's connections. An existing file is not
 * overwritten unless `overwrite`.
 */
export function createRecordingWriter(
  path: string,
  origin: CaptureOrigin,
  options: { readonly overwrite?: boolean; readonly redacted?: boolean } = {},
): RecordingWriter {
  const file = openSync(path, options.overwrite === true ? 'w' : 'wx', 0o600)
  let bytes = 0
  let closed = false
  const put = (chunk: Uint8Array): void => {
    for (let at = 0; at < chunk.length; ) at += writeSync(file, chunk, at, chunk.length - at)
    bytes += chunk.length
  }
  const frame = (content: Uint8Array): void => {
    const head = new Uint8Array(FRAME_HEADER_BYTES)
    new DataView(head.buffer).setUint32(0, content.length, true)
    put(head)
    put(content)
    const padding = -content.length & 7
    if (padding > 0) put(new Uint8Array(padding))
  }
  put(new TextEncoder().encode(RECORDING_MAGIC))
  frame(new TextEncoder().encode(JSON.stringify(headerOf(origin, options.redacted === true))))
  return {
    get bytes() {
      return bytes
    },
    write: batch => {
      if (batch.length > 0) frame(batch)
    },
    close: () => {
      if (closed) return
      closed = true
      closeSync(file)
    },
  }
}
