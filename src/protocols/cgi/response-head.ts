import { latin1 } from '../latin1.js'

/** Longest head of which the end is looked for. */
export const LONGEST_HEAD = 8192

/** What an application's answer begins with, as far as it is here. */
export interface ResponseHead {
  /** 0: not known. */
  readonly status: number
  /** -1: not said. */
  readonly contentLength: number
  /** Index behind the empty line; -1: it is not here. */
  readonly end: number
}

const STATUS_LINE = /^HTTP\/1\.[01] ([1-5]\d\d)\b/
const STATUS = /(?:^|\n)Status: *([1-5]\d\d)\b/i
const LOCATION = /(?:^|\n)Location: */i
const LENGTH = /(?:^|\n)Content-Length: *(\d{1,15})\r?(?:\n|$)/i

/** The head at bytes[start, end): a status line (RFC 9112, 4), or CGI's headers (RFC 3875, 6.3). */
export function readResponseHead(bytes: Uint8Array, start: number, end: number): ResponseHead {
  const stop = Math.min(end, start + LONGEST_HEAD)
  const headEnd = endOfHead(bytes, start, stop)
  const text = latin1(bytes, start, headEnd < 0 ? stop : headEnd)
  const isWhole = headEnd >= 0
  const line = STATUS_LINE.exec(text) ?? STATUS.exec(text)
  const status = line !== null ? Number(line[1]) : isWhole && !text.startsWith('HTTP/') ? impliedStatus(text) : 0
  const length = LENGTH.exec(text)
  return { status, contentLength: length === null ? -1 : Number(length[1]), end: headEnd }
}

/** RFC 3875, 6.2: without a status it is 200, or 302 if it sends the client elsewhere. */
const impliedStatus = (text: string): number => (LOCATION.test(text) ? 302 : 200)

function endOfHead(bytes: Uint8Array, start: number, end: number): number {
  for (let i = start; i < end; i++) {
    if (bytes[i] !== 0x0a) continue
    if (i + 1 < end && bytes[i + 1] === 0x0a) return i + 2
    if (i + 2 < end && bytes[i + 1] === 0x0d && bytes[i + 2] === 0x0a) return i + 3
  }
  return -1
}
