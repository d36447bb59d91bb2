/** The head of an HTTP/1.1 message, as far as the load and the backend need it. */
export interface HttpHead {
  /** The first line. */
  readonly start: string
  /** Bytes of the head, the empty line included. */
  readonly bytes: number
  /** undefined: not said. */
  readonly contentLength: number | undefined
  readonly chunked: boolean
  readonly closes: boolean
}

/** undefined: the head is not complete yet. */
export function readHead(data: Buffer): HttpHead | undefined {
  const end = data.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const text = data.toString('latin1', 0, end)
  const length = /^content-length:\s*(\d+)/im.exec(text)?.[1]
  return {
    start: text.split('\r\n', 1)[0]!,
    bytes: end + 4,
    contentLength: length === undefined ? undefined : Number(length),
    chunked: /^transfer-encoding:\s*chunked/im.test(text),
    closes: /^connection:\s*close/im.test(text),
  }
}
