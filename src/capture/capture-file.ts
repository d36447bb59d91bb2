import { closeSync, openSync, readSync } from 'node:fs'

/** A file read from its beginning to its end through one buffer. */
export interface CaptureFile {
  readonly path: string
  /** Place in the file of the next byte. */
  readonly offset: number
  /** The buffer and the place of the next byte in it, valid until the next call of `need`. */
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly at: number
  /** Makes the next `count` bytes available in the buffer; returns how many there are (fewer only at the end). */
  need(count: number): number
  /** Passes `count` bytes that are available. */
  take(count: number): void
  close(): void
}

const BUFFER_BYTES = 1 << 20

/** Opens a file; @throws the file system's error if that is impossible. */
export function openCaptureFile(path: string): CaptureFile {
  const file = openSync(path, 'r')
  let bytes = new Uint8Array(BUFFER_BYTES)
  let view = new DataView(bytes.buffer)
  let at = 0
  let end = 0
  let offset = 0
  let open = true

  const refill = (count: number): void => {
    if (count > bytes.length) {
      const larger = new Uint8Array(count * 2)
      larger.set(bytes.subarray(at, end))
      bytes = larger
      view = new DataView(bytes.buffer)
    } else bytes.copyWithin(0, at, end)
    end -= at
    at = 0
    while (open && end < count) {
      const got = readSync(file, bytes, end, bytes.length - end, null)
      if (got === 0) break
      end += got
    }
  }

  return {
    path,
    get offset() {
      return offset
    },
    get bytes() {
      return bytes
    },
    get view() {
      return view
    },
    get at() {
      return at
    },
    need: count => {
      if (end - at < count) refill(count)
      return Math.min(count, end - at)
    },
    take: count => {
      at += count
      offset += count
    },
    close: () => {
      if (open) closeSync(file)
      open = false
    },
  }
}
